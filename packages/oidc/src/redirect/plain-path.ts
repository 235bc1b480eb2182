/** Owns the question whether a path can be read in one way only. Exceptions to a check are granted to such paths alone. */

/**
 * Unreserved and sub-delimiter characters and escapes, in non-empty segments. A semicolon is left out on purpose: some servers cut
 * `;parameters` off before they look at dot segments.
 */
const SEGMENTS = /^(?:\/(?!\.+(?:\/|$))(?:[\w.~!$&'()*+,=:@-]|%[0-9A-Fa-f]{2})+)*\/?$/;
/** Escapes that some reader undoes into something of meaning: controls, `#`, `%`, `.`, `/`, `;`, `?`, `\`, and what needs no escape. */
const LOADED_ESCAPE = /%(?:[01][0-9A-F]|2[35DEF]|3[0-9BF]|4[1-9A-F]|5[0-9ACF]|6[1-9A-F]|7[0-9AEF])/i;

/** Whether every server reads this path (no query) as the same sequence of segments. */
export function isPlainPath(path: string): boolean {
  if (path === '' || !SEGMENTS.test(path)) return false;
  return !path.includes('%') || (!LOADED_ESCAPE.test(path) && isUtf8(path));
}

/**
 * A test for "is it, or is it below, one of these paths?": whole segments, case-sensitive, plain paths only. `/dex` covers `/dex`,
 * `/dex/` and `/dex/auth`, not `/dexter`, `/dex/../admin` or `/dex;x`.
 */
export function createPathMatcher(prefixes: readonly string[]): (path: string) => boolean {
  const roots = prefixes.map((prefix) => prefix.replace(/\/+$/, ''));
  return (path) => {
    for (const root of roots) if (isAtOrBelow(path, root)) return isPlainPath(path);
    return false;
  };
}

function isAtOrBelow(path: string, root: string): boolean {
  return path.startsWith(root) && (path.length === root.length || path.charCodeAt(root.length) === SLASH);
}

const SLASH = 47;

function isUtf8(escaped: string): boolean {
  try {
    decodeURIComponent(escaped);
    return true;
  } catch {
    return false;
  }
}
