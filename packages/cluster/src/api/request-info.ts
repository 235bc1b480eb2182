/** Owns reading a request's path: which resource, which object, which verb, as authorisation and dispatch need it. */

export interface ResourceRequestInfo {
  readonly kind: 'resource';
  readonly verb: string;
  readonly group: string;
  readonly version: string;
  readonly namespace: string;
  readonly plural: string;
  readonly name: string;
  readonly subresource: string;
  /** Segments behind `proxy` or a subresource. */
  readonly rest: readonly string[];
}

export interface PathRequestInfo {
  readonly kind: 'path';
  readonly verb: string;
  readonly path: string;
}

export type RequestInfo = ResourceRequestInfo | PathRequestInfo;

const VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: 'get',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};
const NAMESPACE_SUBRESOURCES = new Set(['status', 'finalize']);

/** Parses method, path and query; undefined when a path segment is not decodable or could climb out of its place. */
export function parseRequestInfo(method: string, path: string, query: URLSearchParams): RequestInfo | undefined {
  const segments = decodeSegments(path);
  if (segments === undefined) return undefined;
  const verb = VERBS[method] ?? method.toLowerCase();
  const nonResource: RequestInfo = { kind: 'path', verb, path };
  const root = rootOf(segments);
  if (root === undefined) return nonResource;
  return resourceInfo(root, { method, verb, query }) ?? nonResource;
}

function decodeSegments(path: string): string[] | undefined {
  try {
    const segments = path.split('/').slice(1).map(decodeURIComponent);
    const climbs = segments.some(
      (segment) => segment === '.' || segment === '..' || segment.includes('/') || segment.includes('\0'),
    );
    return climbs ? undefined : segments;
  } catch {
    return undefined;
  }
}

interface Root {
  readonly group: string;
  readonly version: string;
  readonly rest: readonly string[];
}

function rootOf(segments: readonly string[]): Root | undefined {
  const [api, first = '', second = ''] = segments;
  if (api === 'api' && segments.length > 2) return { group: '', version: first, rest: segments.slice(2) };
  if (api === 'apis' && segments.length > 3) return { group: first, version: second, rest: segments.slice(3) };
  return undefined;
}

interface Asked {
  readonly method: string;
  readonly verb: string;
  readonly query: URLSearchParams;
}

function resourceInfo(root: Root, asked: Asked): ResourceRequestInfo | undefined {
  let rest = root.rest;
  let namespace = '';
  if (rest[0] === 'namespaces' && rest.length > 2 && !NAMESPACE_SUBRESOURCES.has(rest[2] ?? '')) {
    namespace = rest[1] ?? '';
    rest = rest.slice(2);
  } else if (rest[0] === 'namespaces' && rest.length > 1) namespace = rest[1] ?? '';
  const [plural = '', name = '', subresource = ''] = rest;
  if (plural === '') return undefined;
  const verb = collectionVerb(asked, name);
  const isNamespace = plural === 'namespaces' && root.group === '';
  return {
    kind: 'resource',
    verb,
    group: root.group,
    version: root.version,
    namespace: isNamespace ? name : namespace,
    plural,
    name,
    subresource,
    rest: rest.slice(3),
  };
}

function collectionVerb({ method, verb, query }: Asked, name: string): string {
  const watches = isTrue(query.get('watch'));
  if (verb === 'get' && (watches || name === '')) return watches ? 'watch' : 'list';
  return method === 'DELETE' && name === '' ? 'deletecollection' : verb;
}

export function isTrue(text: string | null): boolean {
  return text === 'true' || text === '1' || text === '';
}
