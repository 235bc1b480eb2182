/** Owns filters as an operator writes them (RFC 4515 §3): whether a text is one, and white space between its parts, which is none of it. */

/** `( a = b )` is not forgiven: white space there would be part of the name and the value. */
export function tidyFilter(text: string): string {
  // A parenthesis in a value is escaped, so white space beside a bare one belongs to nothing.
  return text
    .trim()
    .replaceAll(/\s+(?=\()/g, '')
    .replaceAll(/\)\s+/g, ')');
}

/** Judges a tidied text. */
export function isFilter(text: string): boolean {
  return endOfFilter(text, 0) === text.length;
}

/** Where the filter that begins at `start` ends, or -1. */
function endOfFilter(text: string, start: number): number {
  if (text[start] !== '(') return -1;
  const operator = text[start + 1] ?? '';
  const end = endOfContent(text, start + 1, operator);
  return end >= 0 && text[end] === ')' ? end + 1 : -1;
}

function endOfContent(text: string, start: number, operator: string): number {
  if (operator === '!') return endOfFilter(text, start + 1);
  if (operator !== '&' && operator !== '|') return endOfItem(text, start);
  let at = endOfFilter(text, start + 1);
  while (at >= 0 && text[at] === '(') at = endOfFilter(text, at);
  return at;
}

const VALUE = String.raw`(?:[^()\\]|\\[0-9A-Fa-f]{2})*`;
const NAME = '[A-Za-z0-9][A-Za-z0-9._-]*';
/** `member=`, `uidNumber>=`, `ou:dn:=`, `member:1.2.840.113556.1.4.1941:=`. */
const ITEM = new RegExp(`(?:${NAME}(?:[~<>]?=|(?::dn)?(?::${NAME})?:=)|(?::dn)?:${NAME}:=)${VALUE}`, 'y');

function endOfItem(text: string, start: number): number {
  ITEM.lastIndex = start;
  return ITEM.test(text) ? ITEM.lastIndex : -1;
}
