/** Owns the defence of state-changing requests against other sites (CSRF). */
import type { HttpHandler, HttpRequest } from '@kfctl/http';
import { refusal } from '../errors.ts';

const SAFE: ReadonlySet<string> = new Set(['GET', 'HEAD']);

/**
 * Lets a state-changing request pass only when the browser says that our own page sent it (Sec-Fetch-Site, Fetch Metadata;
 * Origin, RFC 6454) and its body is JSON, which a form of another site cannot send without a preflight.
 */
export function requireSameOrigin(handler: HttpHandler): HttpHandler {
  return (request) => {
    if (!SAFE.has(request.method)) refuseForeign(request);
    return handler(request);
  };
}

function refuseForeign(request: HttpRequest): void {
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin') throw refusal(403, 'Requests from other sites are refused.');
  const origin = request.headers.origin;
  if (origin !== undefined && !isOwnOrigin(origin, request))
    throw refusal(403, 'Requests from other sites are refused.');
  const type = request.headers['content-type'] ?? '';
  if (!/^application\/json\s*(;|$)/i.test(type)) throw refusal(415, 'Send the body as application/json.');
}

function isOwnOrigin(origin: string, request: HttpRequest): boolean {
  const host = request.headers['x-forwarded-host'] ?? request.headers.host;
  if (typeof host !== 'string' || !URL.canParse(origin)) return false;
  return new URL(origin).host.toLowerCase() === host.toLowerCase().replace(/:443$/, '');
}
