/** Owns the headers that every response carries; those of the configuration replace them. */
import type { OutgoingHttpHeaders } from 'node:http';
import { areConstant, constantHeaders } from '@kfctl/http';
import type { HttpHandler } from '@kfctl/http';

const BUILT_IN = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  // Addresses of login pages hold state: no other site may learn them.
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
} as const;

export function withSecurityHeaders(handler: HttpHandler, configured: Readonly<Record<string, string>>): HttpHandler {
  const known = new WeakMap<OutgoingHttpHeaders, OutgoingHttpHeaders>();
  const complete = (headers: OutgoingHttpHeaders): OutgoingHttpHeaders => {
    const before = known.get(headers);
    if (before !== undefined) return before;
    const whole = { ...BUILT_IN, ...headers, ...configured };
    if (!areConstant(headers)) return whole;
    const constant = constantHeaders(whole);
    known.set(headers, constant);
    return constant;
  };
  return async (request) => {
    const { status, headers = NONE, body = '' } = await handler(request);
    return { status, headers: complete(headers), body };
  };
}

const NONE: OutgoingHttpHeaders = constantHeaders({});
