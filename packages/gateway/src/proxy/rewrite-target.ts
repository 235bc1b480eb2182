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

/** The Location of a redirect: only what the rule names is changed. */
export function redirectLocation(action: RedirectAction, from: RedirectFrom): string {
  const scheme = action.scheme ?? from.proto;
  const host = action.authority ?? from.authority.replace(/:\d+$/, '');
  const ownPort =
    action.authority === undefined && action.scheme === undefined ? /:\d+$/.exec(from.authority)?.[0] : undefined;
  const port = action.port === undefined ? (ownPort ?? '') : `:${action.port}`;
  const query = action.uri?.includes('?') === true ? '' : from.query;
  return `${scheme}://${host}${port}${action.uri ?? from.path}${query}`;
}

/** RFC 9110 section 15.4.2 for a plain port: the same address over TLS. Ports shifted by a constant (8080, 8443) stay shifted. */
export function httpsLocation(from: RedirectFrom): string {
  const port = Number(/:(\d+)$/.exec(from.authority)?.[1] ?? 80);
  const host = from.authority.replace(/:\d+$/, '');
  return `https://${host}${port === 80 ? '' : `:${port - 80 + 443}`}${from.path}${from.query}`;
}
