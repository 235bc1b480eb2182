/** Regular expressions of kustomizations are Go's (RE2); the constructs that differ are translated, patterns that could run away refused. */

import { KustomizeError } from '../errors.ts';

const plain = /^[A-Za-z0-9_ /:@=,-]*$/u;
const posixClasses: Readonly<Record<string, string>> = {
  alpha: 'A-Za-z',
  digit: '0-9',
  alnum: 'A-Za-z0-9',
  upper: 'A-Z',
  lower: 'a-z',
  space: '\\s',
  word: 'A-Za-z0-9_',
  xdigit: '0-9A-Fa-f',
};

/** A repeated group that holds a repetition itself: (a+)+ takes exponential time on a backtracking engine. */
const nestedRepetition = /\([^()]*[*+][^()]*\)[*+{]/u;

function translate(pattern: string): { source: string; flags: string } {
  let flags = '';
  let source = pattern.replace(/^(\^?(?:\(\?:)?)\(\?([ims]+)\)/u, (_, before: string, found: string) => {
    flags = found;
    return before;
  });
  source = source.replace(/\[:(\w+):\]/gu, (whole, name: string) => posixClasses[name] ?? whole);
  source = source.replaceAll('\\A', '^').replaceAll('\\z', '$').replaceAll('(?P<', '(?<');
  return { source, flags };
}

export function goRegExp(pattern: string, field: string): RegExp {
  if (nestedRepetition.test(pattern)) {
    throw new KustomizeError('KUSTOMIZATION_INVALID', `the pattern '${pattern}' repeats a repetition`, {
      field,
      hint: 'write it without nested * or +',
    });
  }
  const { source, flags } = translate(pattern);
  try {
    return new RegExp(source, flags);
  } catch (cause) {
    throw new KustomizeError('KUSTOMIZATION_INVALID', `'${pattern}' is not a regular expression`, { field, cause });
  }
}

/** A test for the whole text; an empty pattern matches everything. */
export function wholeMatcher(pattern: string, field: string): (text: string) => boolean {
  if (pattern === '') return () => true;
  if (plain.test(pattern)) return (text) => text === pattern;
  const regexp = goRegExp(`^(?:${pattern})$`, field);
  return (text) => regexp.test(text);
}
