/** Owns which headers only an authorizer may set: no client's copy of them gets behind the gateway. */
import type { ExternalAuthorizer } from '../istio/mesh-config.ts';
import { matchesHeaderPattern } from './header-patterns.ts';

/** Set by clients by right: an authorizer may replace them, but their presence states nothing. */
const CLIENT_OWNED = new Set(['authorization', 'cookie', 'path', 'host', 'user-agent', 'accept', 'content-type', '*']);

/** Names (`prefix*` allowed) that authorizers set on requests and do not read from them. */
export function identityHeaders(authorizers: Iterable<ExternalAuthorizer>): readonly string[] {
  return [...authorizers].flatMap(({ upstreamHeaders, checkHeaders }) =>
    upstreamHeaders.filter((name) => !CLIENT_OWNED.has(name) && !matchesHeaderPattern(checkHeaders, name)),
  );
}
