/** Owns which scripts of other origins may read which answers (the Fetch standard's CORS protocol); without credentials. */
import type { HttpHandler, HttpRequest } from '@kfctl/http';
import type { WebConfig } from '../config/config.ts';

/** Lets scripts of the configured origins read the handler's answers; nothing changes when none is configured. */
export function withCors(handler: HttpHandler, web: WebConfig): HttpHandler {
  if (web.allowedOrigins.length === 0) return handler;
  const preflight = createPreflight(web);
  return async (request) => {
    if (request.method === 'OPTIONS') return await preflight(request);
    const origin = allowedOrigin(request, web);
    const response = await handler(request);
    const added = origin === undefined ? {} : { 'access-control-allow-origin': origin };
    return { ...response, headers: { ...response.headers, vary: 'Origin', ...added } };
  };
}

/** What browsers ask before they send a header of the script's choice, such as `Authorization`. */
export function createPreflight(web: WebConfig): HttpHandler {
  return (request) => {
    const origin = allowedOrigin(request, web);
    if (origin === undefined) return { status: 204, headers: { vary: 'Origin' } };
    return {
      status: 204,
      headers: {
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET, POST, HEAD',
        'access-control-allow-headers': web.allowedHeaders.join(', '),
        vary: 'Origin',
      },
    };
  };
}

function allowedOrigin({ headers }: HttpRequest, { allowedOrigins }: WebConfig): string | undefined {
  const { origin } = headers;
  if (origin === undefined) return undefined;
  if (allowedOrigins.includes('*')) return '*';
  return allowedOrigins.includes(origin) ? origin : undefined;
}
