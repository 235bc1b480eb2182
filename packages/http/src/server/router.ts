/** Owns matching of method and path to a handler; whole segments only, the path judged is the path sent. */
import { textResponse } from './message.ts';
import type { HttpHandler, HttpRequest, HttpResponse } from './message.ts';

export interface Route {
  /** HTTP method; `*` matches all. GET routes answer HEAD too. */
  readonly method: string;
  /** Segments are literal, `:name` (one segment) or a final `*name` (the rest, still encoded). */
  readonly path: string;
  readonly handler: HttpHandler;
}

interface CompiledRoute extends Route {
  readonly segments: readonly string[];
}

/** Creates a handler that answers 404 for unknown paths and 405 with `Allow` for known paths with another method. */
export function createRouter(routes: readonly Route[], notFound?: HttpHandler): HttpHandler {
  const compiled = routes.map((route): CompiledRoute => ({ ...route, segments: route.path.split('/') }));
  const literal = literalRoutes(compiled);
  return (request) => {
    for (const route of literal.get(request.path) ?? []) {
      if (matchesMethod(route.method, request.method)) return route.handler(request);
    }
    const segments = request.path.split('/');
    const allowed = new Set<string>();
    for (const route of compiled) {
      const params = matchSegments(route.segments, segments);
      if (params === undefined) continue;
      if (matchesMethod(route.method, request.method)) return route.handler(withParams(request, params));
      allowed.add(route.method);
    }
    if (allowed.size > 0) return methodNotAllowed(allowed);
    return notFound?.(request) ?? textResponse(404, 'not found\n');
  };
}

/** Routes without parameters by their path, for finding them at once; not those that a route before them would take. */
function literalRoutes(routes: readonly CompiledRoute[]): ReadonlyMap<string, readonly Route[]> {
  const found = new Map<string, Route[]>();
  for (const [index, route] of routes.entries()) {
    const earlier = routes.slice(0, index).filter(({ path }) => path !== route.path);
    const isFree = earlier.every(({ segments }) => matchSegments(segments, route.segments) === undefined);
    if (/[:*]/.test(route.path) || !isFree) continue;
    found.set(route.path, [...(found.get(route.path) ?? []), route]);
  }
  return found;
}

function matchesMethod(pattern: string, method: string): boolean {
  return pattern === '*' || pattern === method || (pattern === 'GET' && method === 'HEAD');
}

function methodNotAllowed(allowed: ReadonlySet<string>): HttpResponse {
  return textResponse(405, 'method not allowed\n', { allow: [...allowed].toSorted().join(', ') });
}

function matchSegments(pattern: readonly string[], path: readonly string[]): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    if (expected.startsWith('*')) {
      params[expected.slice(1)] = path.slice(index).join('/');
      return params;
    }
    const actual = path[index];
    if (actual === undefined) return undefined;
    if (!expected.startsWith(':')) {
      if (expected !== actual) return undefined;
      continue;
    }
    const decoded = decodeSegment(actual);
    if (decoded === undefined || decoded === '') return undefined;
    params[expected.slice(1)] = decoded;
  }
  return pattern.length === path.length ? params : undefined;
}

function decodeSegment(segment: string): string | undefined {
  try {
    return decodeURIComponent(segment);
  } catch {
    return undefined;
  }
}

function withParams(request: HttpRequest, params: Readonly<Record<string, string>>): HttpRequest {
  const { method, path, headers, remoteAddress } = request;
  return {
    method,
    path,
    headers,
    remoteAddress,
    params,
    get id() {
      return request.id;
    },
    get query() {
      return request.query;
    },
    get signal() {
      return request.signal;
    },
    body: (maxBytes) => request.body(maxBytes),
  };
}
