/** Owns reading of the Cookie header (RFC 6265 §5.4): ours out of it, and the rest without ours. */

/**
 * The values of every cookie called `name`, in the order sent. More than one means that somebody else may have set one (a sibling
 * host can set cookies for the parent domain), so the caller has to decide; the first is not better than the second.
 */
export function readCookies(header: string | undefined, name: string): readonly string[] {
  const values: string[] = [];
  if (header === undefined) return values;
  eachCookie(header, (start, end) => {
    const equals = start + name.length;
    if (header.charCodeAt(equals) === EQUALS && header.startsWith(name, start)) {
      values.push(header.slice(equals + 1, end).trimEnd());
    }
  });
  return values;
}

/**
 * The value of the cookie called `name` where the text `name=` stands in the header only once and begins a cookie: what nearly every
 * request is. Undefined for all others, which `readCookies` tells apart.
 */
export function soleCookie(header: string, name: string): string | undefined {
  const start = header.indexOf(name);
  const value = start + name.length + 1;
  if (start < 0 || header.charCodeAt(value - 1) !== EQUALS || header.includes(name, value)) return undefined;
  for (let before = start - 1; before >= 0 && header.charCodeAt(before) !== SEMICOLON; before -= 1) {
    if (header.charCodeAt(before) !== SPACE) return undefined;
  }
  const end = header.indexOf(';', value);
  return end < 0 ? header.slice(value).trimEnd() : header.slice(value, end).trimEnd();
}

/** The names of the cookies that begin with `prefix`, each once. */
export function cookieNames(header: string | undefined, prefix: string): readonly string[] {
  const names = new Set<string>();
  if (header === undefined) return [];
  eachCookie(header, (start, end) => {
    if (!header.startsWith(prefix, start)) return;
    const equals = header.indexOf('=', start);
    if (equals >= 0 && equals < end) names.add(header.slice(start, equals).trimEnd());
  });
  return [...names];
}

/** The header without the cookies that `isOwn` names; the very same string when there is nothing to take out, '' when nothing is left. */
export function withoutCookies(header: string, isOwn: (name: string) => boolean): string {
  const kept: string[] = [];
  let removed = false;
  eachCookie(header, (start, end) => {
    const equals = header.indexOf('=', start);
    const name = header.slice(start, equals < 0 || equals > end ? end : equals).trimEnd();
    if (isOwn(name)) removed = true;
    else if (start < end) kept.push(header.slice(start, end));
  });
  return removed ? kept.join('; ') : header;
}

const EQUALS = 61;
const SEMICOLON = 59;
const SPACE = 32;
const TAB = 9;

function eachCookie(header: string, visit: (start: number, end: number) => void): void {
  let start = 0;
  while (start < header.length) {
    const semicolon = header.indexOf(';', start);
    const end = semicolon < 0 ? header.length : semicolon;
    while (start < end && (header.charCodeAt(start) === SPACE || header.charCodeAt(start) === TAB)) start += 1;
    visit(start, end);
    start = end + 1;
  }
}
