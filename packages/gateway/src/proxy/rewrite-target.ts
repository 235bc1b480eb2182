/** Owns what a route makes of the request target. */
import type { ForwardAction, RedirectAction } from '../istio/route-action.ts';
import type { Route } from '../istio/virtual-service.ts';
import type { RequestTarget } from '../request/normalize-path.ts';
import { normalizeTarget } from '../request/normalize-path.ts';

/**
 * The target for the upstream. A rewrite replaces the matched prefix, or the whole path for other matches (Envoy's prefix_rewrite).
 * The result is normalised again: `/a/` rewritten to `/` must not turn `/a//b` or `/a/..b` into something nobody judged.
 */
export function rewriteTarget(route: Route, action: ForwardAction, { path, query }: RequestTarget): string | undefined {
  const { uri, regex } = action.rewrite;
  if (uri === undefined && regex === undefined) return `${path}${query}`;
  const rewritten =
    regex === undefined ? replaceMatched(route, path, uri ?? '') : path.replaceAll(regex.pattern, regex.replacement);
  const target = normalizeTarget(rewritten.startsWith('/') ? rewritten : `/${rewritten}`, 'keep');
  return target === undefined ? undefined : `${target.path}${query}`;
}

function replaceMatched(route: Route, path: string, uri: string): string {
  const { match } = route;
  if (match.uri?.kind === 'prefix') return `${uri}${path.slice(match.uri.value.length)}`;
  // Without a uri match, Istio's default prefix `/` is what gets replaced.
  return match.uri === undefined ? `${uri}${path.slice(1)}` : uri;
}

export interface RedirectFrom extends RequestTarget {
  readonly authority: string;
  readonly proto: string;
}

/** The Location of a redirect: only what the rule names is changed. `gatewayPort` is the one that the request came to. */
export function redirectLocation(action: RedirectAction, from: RedirectFrom, gatewayPort: number): string {
  const scheme = action.scheme ?? from.proto;
  const port = action.port === 'request' ? gatewayPort : action.port;
  const host = action.authority ?? (port === undefined ? ownHost(from, scheme) : withoutPort(from.authority));
  const query = action.uri?.includes('?') === true ? '' : from.query;
  return `${scheme}://${host}${port === undefined ? '' : `:${port}`}${action.uri ?? from.path}${query}`;
}

/** Envoy's rule: a port stays, unless it was the default of a scheme that changes. */
function ownHost({ authority, proto }: RedirectFrom, scheme: string): string {
  const isDefault = authority.endsWith(proto === 'https' ? ':443' : ':80');
  return scheme !== proto && isDefault ? withoutPort(authority) : authority;
}

function withoutPort(authority: string): string {
  return authority.replace(/:\d+$/, '');
}

/** RFC 9110 section 15.4.2 for a plain port: the same address over TLS. Ports shifted by a constant (8080, 8443) stay shifted. */
export function httpsLocation(from: RedirectFrom): string {
  const port = Number(/:(\d+)$/.exec(from.authority)?.[1] ?? 80);
  const host = withoutPort(from.authority);
  return `https://${host}${port === 80 ? '' : `:${port - 80 + 443}`}${from.path}${from.query}`;
}
