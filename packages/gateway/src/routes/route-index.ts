/** Owns finding the first route that matches among thousands: by exact path, by prefix length, then the rest, in the order of the list. */
import { findField } from '@kfctl/http';
import type { FieldList } from '@kfctl/http';
import { matchesString } from '../match/string-match.ts';
import type { NamedMatch, Route, RouteMatch } from '../istio/virtual-service.ts';

/** What matches look at. */
export interface RoutedRequest {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly authority: string;
  readonly scheme: 'http' | 'https';
  readonly fields: FieldList;
}

export interface RouteIndex {
  find(request: RoutedRequest): Route | undefined;
  readonly size: number;
}

interface Numbered {
  readonly order: number;
  readonly route: Route;
}

/** An index over routes in order of precedence. */
export function createRouteIndex(routes: readonly Route[]): RouteIndex {
  const exact = new Map<string, Numbered[]>();
  const prefixes = new Map<string, Numbered[]>();
  const others: Numbered[] = [];
  for (const [order, route] of routes.entries()) {
    const { uri, ignoreUriCase } = route.match;
    if (uri === undefined || uri.kind === 'regex' || ignoreUriCase) others.push({ order, route });
    else push(uri.kind === 'exact' ? exact : prefixes, uri.value, { order, route });
  }
  const lengths = [...new Set([...prefixes.keys()].map((prefix) => prefix.length))].toSorted((a, b) => a - b);
  return {
    size: routes.length,
    find(request) {
      let best = firstMatch(exact.get(request.path), request, undefined);
      for (const length of lengths) {
        if (length > request.path.length) break;
        best = firstMatch(prefixes.get(request.path.slice(0, length)), request, best);
      }
      return firstMatch(others, request, best)?.route;
    },
  };
}

function push(map: Map<string, Numbered[]>, key: string, item: Numbered): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [item]);
  else list.push(item);
}

/** The first matching one that goes before `best`. */
function firstMatch(
  list: readonly Numbered[] | undefined,
  request: RoutedRequest,
  best: Numbered | undefined,
): Numbered | undefined {
  if (list === undefined) return best;
  for (const item of list) {
    if (best !== undefined && item.order > best.order) return best;
    if (matchesRoute(item.route.match, request)) return item;
  }
  return best;
}

/** Whether every stated condition holds. `gateways` and `port` were decided when the table was built. */
export function matchesRoute(match: RouteMatch, request: RoutedRequest): boolean {
  const { uri, method, authority, scheme } = match;
  if (uri !== undefined && !matchesUri(match, request.path)) return false;
  if (method !== undefined && !matchesString(method, request.method)) return false;
  if (authority !== undefined && !matchesString(authority, request.authority)) return false;
  if (scheme !== undefined && !matchesString(scheme, request.scheme)) return false;
  return (
    match.headers.every((named) => matchesNamed(named, findField(request.fields, named.name))) &&
    !match.withoutHeaders.some((named) => matchesNamed(named, findField(request.fields, named.name))) &&
    matchesQuery(match.query, request.query)
  );
}

function matchesUri({ uri, ignoreUriCase }: RouteMatch, path: string): boolean {
  if (uri === undefined) return true;
  if (!ignoreUriCase || uri.kind === 'regex') return matchesString(uri, path);
  return matchesString({ kind: uri.kind, value: uri.value.toLowerCase() }, path.toLowerCase());
}

function matchesNamed({ match }: NamedMatch, value: string | undefined): boolean {
  return value !== undefined && (match === undefined || matchesString(match, value));
}

function matchesQuery(matches: readonly NamedMatch[], query: string): boolean {
  if (matches.length === 0) return true;
  const parameters = new URLSearchParams(query);
  return matches.every((named) => matchesNamed(named, parameters.get(named.name) ?? undefined));
}
