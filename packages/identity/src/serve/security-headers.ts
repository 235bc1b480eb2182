/** Owns the headers that every response carries; those of the configuration replace them. */
import type { HttpHandler } from '@kfctl/http';

const BUILT_IN = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // Addresses of login pages hold state: no other site may learn them.
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
} as const;

export function withSecurityHeaders(handler: HttpHandler, configured: Readonly<Record<string, string>>): HttpHandler {
  return async (request) => {
    const response = await handler(request);
    return { ...response, headers: { ...BUILT_IN, ...response.headers, ...configured } };
  };
}
