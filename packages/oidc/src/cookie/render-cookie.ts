/** Owns the Set-Cookie header (RFC 6265 §4.1): host-only, for the whole origin. */

export interface CookieAttributes {
  readonly httpOnly: boolean;
  readonly secure: boolean;
  readonly sameSite: 'Lax' | 'Strict' | 'None';
}

/** What the prefix `__Host-` demands, and more: no Domain, Path=/, Secure; out of scripts' reach; not sent by other sites' requests. */
export const SAFE_COOKIE: CookieAttributes = { httpOnly: true, secure: true, sameSite: 'Lax' };

export interface Cookie {
  readonly name: string;
  readonly value: string;
  /** Absent: until the browser closes. Zero or less: deleted at once. */
  readonly maxAgeSeconds?: number;
}

const NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const VALUE = /^[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*$/;

/** Renders one Set-Cookie value; throws where a name or value would change the header's meaning. */
export function renderCookie(cookie: Cookie, attributes: CookieAttributes = SAFE_COOKIE): string {
  const { name, value, maxAgeSeconds } = cookie;
  if (!NAME.test(name) || !VALUE.test(value)) throw new TypeError(`cookie ${JSON.stringify(name)} cannot be rendered`);
  const parts = [`${name}=${value}`, 'Path=/'];
  if (maxAgeSeconds !== undefined) parts.push(`Max-Age=${Math.max(0, Math.floor(maxAgeSeconds))}`);
  if (attributes.httpOnly) parts.push('HttpOnly');
  if (attributes.secure) parts.push('Secure');
  parts.push(`SameSite=${attributes.sameSite}`);
  return parts.join('; ');
}

/** Tells the browser to forget a cookie. */
export function renderCookieRemoval(name: string, attributes: CookieAttributes = SAFE_COOKIE): string {
  return renderCookie({ name, value: '', maxAgeSeconds: 0 }, attributes);
}

/** Whether a browser would keep a cookie of this name with these attributes (RFC 6265bis §4.1.3); for checks of settings. */
export function isCookieNameAllowed(name: string, attributes: CookieAttributes): boolean {
  const prefixed = /^__(?:host|secure)-/i.test(name);
  return NAME.test(name) && (!prefixed || attributes.secure) && (attributes.sameSite !== 'None' || attributes.secure);
}
