/** Owns which scripts of other origins may read which answers (the Fetch standard's CORS protocol); without credentials. */
import type { HttpHandler, HttpRequest } from '@kfctl/http';
import type { WebConfig } from '../config/config.ts';

/** Lets scripts of the configured origins read the handler's answers; nothing changes when none is configured. */
export function withCors(handler: HttpHandler, { allowedOrigins, allowedHeaders }: WebConfig): HttpHandler {
  if (allowedOrigins.length === 0) return handler;
  const allowed = ({ headers }: HttpRequest): string | undefined => {
    const origin = headers.origin;
    if (origin === undefined) return undefined;
    if (allowedOrigins.includes('*')) return '*';
    return allowedOrigins.includes(origin) ? origin : undefined;
  };
  return async (request) => {
    const origin = allowed(request);
    if (request.method === 'OPTIONS' && origin !== undefined) {
      return { status: 204, headers: preflight(origin, allowedHeaders) };
    }
    const response = await handler(request);
    const added = origin === undefined ? {} : { 'access-control-allow-origin': origin };
    return { ...response, headers: { ...response.headers, vary: 'Origin', ...added } };
  };
}

function preflight(origin: string, headers: readonly string[]): Record<string, string> {
  return {
    'access-control-allow-origin': origin,
    'access-control-allow-methods': 'GET, POST, HEAD',
    'access-control-allow-headers': headers.join(', '),
    vary: 'Origin',
  };
}
