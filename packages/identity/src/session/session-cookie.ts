/** Owns cookies at the issuer (RFC 6265): reading one by name, and how ours are set. */
import type { HttpRequest } from '@kfctl/http';

export interface CookieAttributes {
  /** The issuer's path; empty is the root. */
  readonly path: string;
  readonly secure: boolean;
  /** Absent: until the browser closes. */
  readonly maxAgeSeconds?: number;
  readonly sameSite?: 'Lax' | 'None';
}

/** The value; undefined when there is none, or more than one: somebody else's would pass for ours. */
export function readCookie({ headers }: Pick<HttpRequest, 'headers'>, name: string): string | undefined {
  const values = (headers.cookie ?? '')
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}

export function renderCookie(name: string, value: string, attributes: CookieAttributes): string {
  const { path, secure, maxAgeSeconds, sameSite = 'Lax' } = attributes;
  const parts = [`${name}=${value}`, `Path=${path === '' ? '/' : path}`, 'HttpOnly', `SameSite=${sameSite}`];
  if (secure) parts.push('Secure');
  if (maxAgeSeconds !== undefined) parts.push(`Max-Age=${maxAgeSeconds}`);
  return parts.join('; ');
}

/** Whether the browser came by https: the issuer's name may be one that only the cluster knows, so the gateway's word counts too. */
export function isSecure({ headers }: Pick<HttpRequest, 'headers'>, issuer: string): boolean {
  const forwarded = String(headers['x-forwarded-proto'] ?? '')
    .split(',')[0]
    ?.trim();
  return issuer.startsWith('https:') || forwarded === 'https';
}
