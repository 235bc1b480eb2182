/** Owns which redirect URIs a client may use. */
import type { Client } from '../clients/find-client.ts';

/** The code is shown on a page for copying. */
export const OUT_OF_BAND = 'urn:ietf:wg:oauth:2.0:oob';
/** Where the device flow's own login ends, below the issuer's path. */
export const DEVICE_CALLBACK = '/device/callback';

/**
 * Exact equality with a registered value, relative ones included (RFC 9700 §4.1.3; no prefix, no decoding, no wildcard).
 * A public client with no registered value may use the out-of-band page, the device flow and loopback over http on any port
 * and path (RFC 8252 §7.3); one with registered values gets those alone.
 */
export function isRedirectAllowed(client: Client, redirectUri: string, basePath: string): boolean {
  if (client.redirectUris.includes(redirectUri)) return true;
  const isDevice = redirectUri === basePath + DEVICE_CALLBACK;
  // Dex's own spelling of the registration has no base path.
  if (isDevice && client.redirectUris.includes(DEVICE_CALLBACK)) return true;
  if (!client.public || client.redirectUris.length > 0) return false;
  return redirectUri === OUT_OF_BAND || isDevice || isLoopback(redirectUri);
}

function isLoopback(redirectUri: string): boolean {
  // The WHATWG parser drops tabs and newlines and forgives backslashes; what is judged must be what is sent.
  if (!URL.canParse(redirectUri) || !/^http:\/\/[^\s\\@]+$/.test(redirectUri)) return false;
  const { hostname, hash } = new URL(redirectUri);
  return hash === '' && (hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname));
}

/** Whether a browser following the URI leaves the origin of these pages. */
export function leavesOrigin(redirectUri: string): boolean {
  return !/^\/(?![/\\])/.test(redirectUri);
}
