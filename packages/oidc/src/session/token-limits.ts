/** Owns what a personal API token may be used for. */
import { createPathMatcher } from '../redirect/plain-path.ts';
import type { ApiToken } from './session.ts';

export interface LimitedRequest {
  readonly method: string;
  /** As forwarded, without the query. */
  readonly path: string;
}

/** By these some servers take a GET for another method. */
export const METHOD_OVERRIDES: readonly string[] = ['x-http-method-override', 'x-http-method', 'x-method-override'];

const READING = new Set(['GET', 'HEAD', 'OPTIONS']);

/** As a cookie it is nothing: a token in a browser would be there for every page. */
export function isWithinLimits(token: ApiToken, { method, path }: LimitedRequest, via: 'cookie' | 'header'): boolean {
  if (via === 'cookie' || (token.readOnly && !READING.has(method))) return false;
  return token.paths.length === 0 || createPathMatcher(token.paths)(path);
}
