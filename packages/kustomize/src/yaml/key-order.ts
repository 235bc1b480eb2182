/** The order of map keys in rendered YAML: by character, letters after everything else, runs of digits by their value. */

const letter = /\p{L}/u;
const digit = /\p{Nd}/u;

function isDigit(part: string | undefined): boolean {
  return part !== undefined && (part >= '0' && part <= '9' ? true : part > '\x7f' && digit.test(part));
}

function isLetter(part: string): boolean {
  const code = part.charCodeAt(0) | 0x20;
  return (code >= 0x61 && code <= 0x7a && part < '\x80') || (part >= '\x80' && letter.test(part));
}

interface Run {
  readonly end: number;
  readonly value: bigint;
}

function digitsFrom(parts: readonly string[], start: number, initial: bigint): Run {
  let value = initial;
  let end = start;
  for (; isDigit(parts[end]); end += 1)
    value = BigInt.asIntN(64, value * 10n + BigInt((parts[end]?.codePointAt(0) ?? 48) - 48));
  return { end, value };
}

/** A digit other than 0 before the difference makes leading zeros count. */
function hasNonZeroBefore(parts: readonly string[], index: number): boolean {
  for (let at = index - 1; at >= 0 && isDigit(parts[at]); at -= 1) if (parts[at] !== '0') return true;
  return false;
}

function compareAt(left: readonly string[], right: readonly string[], at: number): number {
  const a = left[at] ?? '';
  const b = right[at] ?? '';
  const aLetter = isLetter(a);
  const bLetter = isLetter(b);
  if (aLetter || bLetter) return aLetter === bLetter ? compareCodePoints(a, b) : bLetter ? -1 : 1;
  const initial = (a === '0' || b === '0') && hasNonZeroBefore(left, at) ? 1n : 0n;
  const aRun = digitsFrom(left, at, initial);
  const bRun = digitsFrom(right, at, initial);
  if (aRun.value !== bRun.value) return aRun.value < bRun.value ? -1 : 1;
  if (aRun.end !== bRun.end) return aRun.end - bRun.end;
  return compareCodePoints(a, b);
}

function compareCodePoints(a: string, b: string): number {
  return (a.codePointAt(0) ?? 0) - (b.codePointAt(0) ?? 0);
}

const simple = /^[a-zA-Z]*$/u;

/** Negative when `left` is written first. */
export function compareKeys(left: string, right: string): number {
  if (left === right) return 0;
  if (simple.test(left) && simple.test(right)) return left < right ? -1 : 1;
  const a = [...left];
  const b = [...right];
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at += 1) {
    if (a[at] !== b[at]) return compareAt(a, b, at);
  }
  return a.length - b.length;
}
