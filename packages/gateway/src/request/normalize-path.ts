/**
 * Owns the one form of a path that rules judge, routes match and upstreams get. What has two readings is refused:
 * proxies and applications that read a path differently are how checks are walked around.
 */

/** What to do with `%2F` and `%5C` in a path: refuse (default), forward as they are, or turn them into slashes. */
export type EscapedSlashes = 'reject' | 'keep' | 'decode';

export const MAX_TARGET_LENGTH = 16_384;

/** Visible ASCII except what browsers always escape in paths: space, `"`, `#`, `<`, `>`, `\`, backtick and braces. */
const PATH_CHARACTERS = /^[\x21\x24-\x3b\x3d\x40-\x5b\x5d-\x5f\x61-\x7a\x7c\x7e]+$/;
const QUERY_CHARACTERS = /^[\x21\x22\x24-\x7e]*$/;
/** Nothing in it that needs work: no escape, no parameter, no dot or empty segment. */
const PLAIN = /^(?:\/[\w~!$&'()*+,=:@-][\w~!$&'()*+,=:@.-]*)*\/?$/;
const UNRESERVED = /[A-Za-z0-9\-._~]/;

export interface RequestTarget {
  /** Normalised; starts with `/`. */
  readonly path: string;
  /** With its `?`, or empty; unchanged. */
  readonly query: string;
}

/** Splits and normalises an origin-form target; undefined when it must be refused with 400. */
export function normalizeTarget(target: string, escapedSlashes: EscapedSlashes): RequestTarget | undefined {
  if (target.length > MAX_TARGET_LENGTH || !target.startsWith('/')) return undefined;
  const mark = target.indexOf('?');
  const rawPath = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark);
  if (query !== '' && !QUERY_CHARACTERS.test(query)) return undefined;
  if (PLAIN.test(rawPath)) return { path: rawPath, query };
  const path = normalizePath(rawPath, escapedSlashes);
  return path === undefined ? undefined : { path, query };
}

function normalizePath(raw: string, escapedSlashes: EscapedSlashes): string | undefined {
  if (!PATH_CHARACTERS.test(raw)) return undefined;
  const unescaped = unescapeUnreserved(raw);
  if (unescaped === undefined) return undefined;
  const hasEscapedSlash = /%(?:2F|5C)/.test(unescaped);
  if (hasEscapedSlash && escapedSlashes === 'reject') return undefined;
  const slashed = escapedSlashes === 'decode' ? unescaped.replaceAll(/%(?:2F|5C)/g, '/') : unescaped;
  if (slashed.split(/\/|%2F|%5C/).some(hasTwoReadings)) return undefined;
  // A kept escaped slash must not hide a dot segment from the judge.
  if (escapedSlashes === 'keep' && hasEscapedSlash && hidesDotSegment(slashed)) return undefined;
  return removeDotSegments(slashed);
}

/**
 * RFC 3986 section 6.2.2: escapes of unreserved characters are undone, the digits of the others are upper-cased. Undefined when an
 * escape is malformed, stands for a control character, or the bytes are not UTF-8 (overlong forms hide `/` and `.`).
 */
function unescapeUnreserved(raw: string): string | undefined {
  if (/%(?![0-9A-Fa-f]{2})/.test(raw) || /%(?:[01][0-9A-Fa-f]|7[Ff])/.test(raw)) return undefined;
  if (!isUtf8(raw)) return undefined;
  return raw.replaceAll(/%[0-9A-Fa-f]{2}/g, (escape) => {
    const character = String.fromCharCode(Number.parseInt(escape.slice(1), 16));
    return UNRESERVED.test(character) ? character : escape.toUpperCase();
  });
}

function isUtf8(escaped: string): boolean {
  try {
    decodeURIComponent(escaped);
    return true;
  } catch {
    return false;
  }
}

/** Servers that strip `;parameters` read `..;x` as `..`. */
function hasTwoReadings(segment: string): boolean {
  return /^\.{1,2}(?:;|%3B)/.test(segment) || /^(?:;|%3B)/.test(segment);
}

function hidesDotSegment(path: string): boolean {
  return path
    .split('/')
    .some((segment) => segment.split(/%2F|%5C/).length > 1 && /(?:^|%2F|%5C)\.{1,2}(?:$|%2F|%5C)/.test(segment));
}

/** RFC 3986 section 5.2.4, with runs of slashes merged first. */
function removeDotSegments(path: string): string {
  const segments = path.split('/');
  const last = segments.at(-1);
  const kept: string[] = [];
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  const endsInSlash = last === '' || last === '.' || last === '..';
  return kept.length === 0 ? '/' : `/${kept.join('/')}${endsInSlash ? '/' : ''}`;
}
