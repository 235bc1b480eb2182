/** Owns regular expressions that come from objects of the cluster: matched in linear time, or refused. */
import { setFlagsFromString } from 'node:v8';

const MAX_PATTERN_LENGTH = 1024;
/** `l`: linear time (V8); `s`: the dot matches line ends. */
const LINEAR_FLAGS: string = 'ls';

/**
 * Compiles an RE2 pattern that must match the whole value, as Istio's regex matches do. Whoever may write a VirtualService may write a
 * pattern, so backtracking is no option: V8's automaton engine (flag `l`) refuses what cannot run in linear time. Throws SyntaxError.
 */
export function compileLinearPattern(pattern: string): RegExp {
  if (pattern.length > MAX_PATTERN_LENGTH) throw new SyntaxError(`is longer than ${MAX_PATTERN_LENGTH} characters`);
  setFlagsFromString('--enable-experimental-regexp-engine');
  return new RegExp(`^(?:${pattern})$`, LINEAR_FLAGS);
}
