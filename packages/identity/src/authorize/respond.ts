/** Owns answers that leave through the browser: redirects to the client with a result or an error. */
import type { Logger } from '@kfctl/core';
import type { HttpRequest, HttpResponse } from '@kfctl/http';
import { logRefusal } from '../log-refusal.ts';
import { markup } from '../pages/markup.ts';
import type { ProtocolProblem } from './rules.ts';

export type ResponseMode = 'query' | 'fragment';

/** 303 (the browser goes on with GET). The location is the registered URI verbatim, relative ones too, with parameters added. */
export function redirectTo(location: string, status: 302 | 303 = 303): HttpResponse {
  return {
    status,
    headers: { location, 'content-type': 'text/html; charset=utf-8', 'content-security-policy': "default-src 'none'" },
    body: markup`<a href="${location}">Continue</a>. `.text,
  };
}

/** RFC 6749 §4.1.2 and §4.2.2: parameters go to the query (keeping what is there) or to the fragment. */
export function withParameters(uri: string, parameters: URLSearchParams, mode: ResponseMode): string {
  const text = parameters.toString();
  if (mode === 'fragment') return `${uri}#${text}`;
  return `${uri}${uri.includes('?') ? '&' : '?'}${text}`;
}

export interface RefusedAuthorization {
  readonly request: HttpRequest;
  readonly clientId: string;
  readonly redirectUri: string;
  readonly state: string;
  readonly problem: ProtocolProblem;
}

/** RFC 6749 §4.1.2.1; the log is told too. */
export function redirectWithError(
  log: Logger,
  { request, clientId, redirectUri, state, problem }: RefusedAuthorization,
): HttpResponse {
  logRefusal(log, request, { status: 303, client: clientId, error: problem.error, reason: problem.description });
  const parameters = new URLSearchParams({ error: problem.error, error_description: problem.description, state });
  return redirectTo(withParameters(redirectUri, parameters, 'query'));
}
