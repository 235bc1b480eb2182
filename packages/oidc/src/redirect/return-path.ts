/** Owns where a login may lead back to: a path of this very origin and nothing that any browser or proxy could read as more. */

/** Longer targets would make the round trip through the identity provider fail; their reader starts at the front page. */
const MAX_LENGTH = 1_500;
/** Visible ASCII without the characters that browsers turn into slashes (`\`) or that begin a fragment. */
const TARGET = /^\/[\x21\x22\x24-\x5b\x5d-\x7e]*$/;
/** Escaped controls and backslashes, and slashes where a decoding proxy would see `//`. */
const HIDDEN_AUTHORITY = /%(?:[01][0-9a-f]|5c|7f)|^\/(?:%2f|%20)|\/(?:%2f|\/)|%2f%2f/i;
const BASE = 'https://origin.invalid';

/** The request target (path and query) when it is safe to redirect to, otherwise undefined. */
export function safeReturnPath(target: string): string | undefined {
  if (target.length > MAX_LENGTH || !TARGET.test(target)) return undefined;
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  if (HIDDEN_AUTHORITY.test(path) || /^\/[.;@:]*\//.test(path)) return undefined;
  const resolved = URL.parse(target, BASE);
  if (resolved === null || resolved.origin !== BASE || resolved.pathname.startsWith('//')) return undefined;
  return target;
}
