/** Owns discovery: which resources a server serves, from aggregated discovery or, on servers before 1.27, group by group. */
import { AppError } from '@kfctl/core';
import type { DiscoveredResource, RawRequest, RawResponse } from './kube-client.ts';
import { errorOf } from './answer.ts';

type Request = (request: RawRequest) => Promise<RawResponse>;

const AGGREGATED = [
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList',
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
  'application/json',
].join(',');
const PARALLEL = 8;

/** Creates a cached discovery; `refresh` asks the server again. */
export function createDiscovery(request: Request): (refresh: boolean) => Promise<readonly DiscoveredResource[]> {
  let cached: Promise<readonly DiscoveredResource[]> | undefined;
  return (refresh) => {
    if (cached !== undefined && !refresh) return cached;
    const found = discoverAll(request);
    cached = found;
    found.catch(() => {
      if (cached === found) cached = undefined;
    });
    return found;
  };
}

async function discoverAll(request: Request): Promise<readonly DiscoveredResource[]> {
  const found = await Promise.all(
    ['/api', '/apis'].map(async (path) => resourcesOf(request, await fetchJson(request, path, AGGREGATED))),
  );
  return found.flat();
}

function resourcesOf(
  request: Request,
  answer: Json,
): Promise<readonly DiscoveredResource[]> | readonly DiscoveredResource[] {
  if (answer['kind'] === 'APIGroupDiscoveryList')
    return list(answer['items']).flatMap((group) => aggregatedGroup(group));
  return discoverVersions(request, groupVersions(answer));
}

type Json = Readonly<Record<string, unknown>>;

function aggregatedGroup(group: Json): DiscoveredResource[] {
  const name = text(record(group['metadata'])['name']);
  return list(group['versions']).flatMap((version) =>
    list(version['resources']).map((resource): DiscoveredResource => {
      const kind = record(resource['responseKind']);
      return {
        group: name,
        version: text(version['version']),
        plural: text(resource['resource']),
        kind: text(kind['kind']),
        namespaced: resource['scope'] === 'Namespaced',
        verbs: strings(resource['verbs']),
        singular: text(resource['singularResource']),
        shortNames: strings(resource['shortNames']),
        subresources: list(resource['subresources']).map((sub) => text(sub['subresource'])),
      };
    }),
  );
}

/** Group versions of the old lists, each group's preferred version first. */
function groupVersions(answer: Json): string[] {
  if (answer['kind'] === 'APIVersions') return strings(answer['versions']);
  return list(answer['groups']).flatMap((group) => {
    const preferred = text(record(group['preferredVersion'])['groupVersion']);
    const all = list(group['versions']).map((version) => text(version['groupVersion']));
    return [preferred, ...all.filter((version) => version !== preferred)].filter((version) => version !== '');
  });
}

async function discoverVersions(request: Request, versions: readonly string[]): Promise<readonly DiscoveredResource[]> {
  const found: (readonly DiscoveredResource[])[] = [];
  for (let start = 0; start < versions.length; start += PARALLEL) {
    found.push(
      ...(await Promise.all(
        versions.slice(start, start + PARALLEL).map((version) => discoverVersion(request, version)),
      )),
    );
  }
  return found.flat();
}

async function discoverVersion(request: Request, groupVersion: string): Promise<readonly DiscoveredResource[]> {
  const [group, version] = groupVersion.includes('/')
    ? (groupVersion.split('/') as [string, string])
    : ['', groupVersion];
  const path = group === '' ? `/api/${version}` : `/apis/${groupVersion}`;
  // One aggregated API that is down must not hide all others.
  const answer = await fetchJson(request, path, 'application/json').catch((error: unknown) => {
    if (error instanceof AppError && error.status >= 500 && group !== '') return {} as Json;
    throw error;
  });
  const entries = list(answer['resources']);
  return entries
    .filter((entry) => !text(entry['name']).includes('/'))
    .map((entry): DiscoveredResource => {
      const plural = text(entry['name']);
      return {
        group,
        version,
        plural,
        kind: text(entry['kind']),
        namespaced: entry['namespaced'] === true,
        verbs: strings(entry['verbs']),
        singular: text(entry['singularName']) || text(entry['kind']).toLowerCase(),
        shortNames: strings(entry['shortNames']),
        subresources: entries
          .map((other) => text(other['name']))
          .filter((name) => name.startsWith(`${plural}/`))
          .map((name) => name.slice(plural.length + 1)),
      };
    });
}

async function fetchJson(request: Request, path: string, accept: string): Promise<Json> {
  const { status, body } = await request({ method: 'GET', path, headers: { accept } });
  if (status !== 200) throw errorOf(status, body, `discover ${path}`);
  return record(body);
}

function record(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function list(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(record) : [];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function strings(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
