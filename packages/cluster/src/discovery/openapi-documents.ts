/** Owns the OpenAPI endpoints: the index of v3 and one document a group version, made when asked and kept until kinds change. */
import { createHash } from 'node:crypto';
import { headerOf } from '../api/api-request.ts';
import type { ApiAnswer, ApiRequest } from '../api/api-request.ts';
import type { Definitions } from '../registry/definitions.ts';
import { renderOpenApiV2 } from './openapi-v2.ts';
import { renderOpenApiV3 } from './openapi-v3.ts';

interface GroupVersion {
  readonly group: string;
  readonly version: string;
}

interface CachedDocument {
  readonly generation: number;
  readonly text: string;
  readonly hash: string;
}

const caches = new WeakMap<Definitions, Map<string, CachedDocument>>();

export function openApiAnswer(definitions: Definitions, request: ApiRequest): ApiAnswer | undefined {
  if (request.path === '/openapi/v2') {
    const { contentType, body } = renderOpenApiV2(headerOf(request, 'accept'));
    return {
      status: 200,
      headers: { 'content-type': contentType },
      stream: (sink) => void (sink.write(body), sink.end()),
    };
  }
  if (request.path === '/openapi/v3') return { status: 200, body: { paths: indexOf(definitions) } };
  if (!request.path.startsWith('/openapi/v3/')) return undefined;
  const wanted = request.path.slice('/openapi/v3/'.length);
  const found = groupVersions(definitions).find((groupVersion) => pathOf(groupVersion) === wanted);
  if (found === undefined) return undefined;
  const document = documentOf(definitions, found);
  const headers = { 'content-type': 'application/json', etag: `"${document.hash}"`, vary: 'Accept' };
  return { status: 200, headers, text: document.text };
}

function groupVersions(definitions: Definitions): GroupVersion[] {
  const found = new Map<string, GroupVersion>();
  for (const { group, versions } of definitions.all()) {
    for (const { version } of versions) found.set(`${group}/${version}`, { group, version });
  }
  return [...found.values()];
}

function pathOf({ group, version }: GroupVersion): string {
  return group === '' ? `api/${version}` : `apis/${group}/${version}`;
}

/** The hash in the index changes with the kinds: clients may keep a document for as long as its URL stays. */
function indexOf(definitions: Definitions): Record<string, { readonly serverRelativeURL: string }> {
  return Object.fromEntries(
    groupVersions(definitions).map((groupVersion) => {
      const path = pathOf(groupVersion);
      return [path, { serverRelativeURL: `/openapi/v3/${path}?hash=${documentHash(definitions, groupVersion)}` }];
    }),
  );
}

/** Cheap: names and schemas of a group version's custom kinds, not the rendered document. */
function documentHash(definitions: Definitions, { group, version }: GroupVersion): string {
  const hash = createHash('sha256').update('1');
  for (const definition of definitions.all()) {
    if (definition.group !== group) continue;
    const served = definition.versions.find((candidate) => candidate.version === version);
    if (served === undefined) continue;
    hash.update(definition.kind);
    if (served.custom?.openApi !== undefined) hash.update(JSON.stringify(served.custom.openApi));
  }
  return hash.digest('hex').slice(0, 32).toUpperCase();
}

function documentOf(definitions: Definitions, groupVersion: GroupVersion): CachedDocument {
  const cache = caches.get(definitions) ?? new Map<string, CachedDocument>();
  caches.set(definitions, cache);
  const key = pathOf(groupVersion);
  const known = cache.get(key);
  if (known?.generation === definitions.generation) return known;
  const text = JSON.stringify(renderOpenApiV3(definitions, groupVersion));
  const document = { generation: definitions.generation, text, hash: documentHash(definitions, groupVersion) };
  cache.clear();
  cache.set(key, document);
  return document;
}
