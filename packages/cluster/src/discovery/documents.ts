/** Owns the documents of discovery: versions, groups, resources; old form and aggregated. */
import { headerOf } from '../api/api-request.ts';
import type { ApiAnswer, ApiRequest } from '../api/api-request.ts';
import { negotiate } from '../api/negotiate.ts';
import type { Definitions } from '../registry/definitions.ts';
import { apiVersionOf } from '../resources/definition.ts';
import type { ResourceDefinition, ServedVersion } from '../resources/definition.ts';
import type { JsonObject } from '../schema/json.ts';
import { compareVersions } from './version-order.ts';
import { subresourceInfo } from './subresource-info.ts';

export interface DiscoveryDeps {
  readonly definitions: Definitions;
  /** `127.64.0.1:6443`. */
  readonly address: string;
}

interface Served {
  readonly definition: ResourceDefinition;
  readonly version: ServedVersion;
}

/** The discovery document at a path; undefined when there is none. */
export function discoveryAnswer(deps: DiscoveryDeps, request: ApiRequest): ApiAnswer | undefined {
  if (request.method !== 'GET' && request.method !== 'HEAD') return undefined;
  const [, root, group, version, ...more] = request.path.replace(/\/$/, '').split('/');
  if (root === 'api' && more.length === 0 && version === undefined) {
    return group === undefined ? rootAnswer(deps, request, 'api') : resourceList(deps, '', group);
  }
  if (root !== 'apis' || more.length > 0) return undefined;
  if (group === undefined) return rootAnswer(deps, request, 'apis');
  return version === undefined ? groupAnswer(deps, group) : resourceList(deps, group, version);
}

function rootAnswer(deps: DiscoveryDeps, request: ApiRequest, root: 'api' | 'apis'): ApiAnswer {
  const wanted = negotiate(headerOf(request, 'accept'));
  if (wanted.as === 'APIGroupDiscoveryList') return aggregated(deps, root, wanted.version);
  if (root === 'api') {
    const serverAddressByClientCIDRs = [{ clientCIDR: '0.0.0.0/0', serverAddress: deps.address }];
    return { status: 200, body: { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs } };
  }
  const groups = groupNames(deps.definitions).map((name) => groupOf(deps.definitions, name));
  return { status: 200, body: { kind: 'APIGroupList', apiVersion: 'v1', groups } };
}

/** Named groups in the order of their first resource. */
export function groupNames(definitions: Definitions): string[] {
  return [...new Set(definitions.all().map((definition) => definition.group))].filter((group) => group !== '');
}

/** Versions of a group, preferred first. */
export function versionsOf(definitions: Definitions, group: string): string[] {
  const versions = definitions
    .all()
    .filter((definition) => definition.group === group)
    .flatMap((definition) => definition.versions);
  return [...new Set(versions.map((version) => version.version))].toSorted(compareVersions);
}

function groupOf(definitions: Definitions, name: string): JsonObject {
  const versions = versionsOf(definitions, name).map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions, preferredVersion: versions[0] };
}

function groupAnswer(deps: DiscoveryDeps, group: string): ApiAnswer | undefined {
  if (!groupNames(deps.definitions).includes(group)) return undefined;
  return { status: 200, body: { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(deps.definitions, group) } };
}

function servedIn(definitions: Definitions, group: string, version: string): Served[] {
  return definitions
    .all()
    .filter((definition) => definition.group === group)
    .flatMap((definition) =>
      definition.versions
        .filter((served) => served.version === version)
        .map((served) => ({ definition, version: served })),
    );
}

function resourceList(deps: DiscoveryDeps, group: string, version: string): ApiAnswer | undefined {
  const served = servedIn(deps.definitions, group, version);
  if (served.length === 0) return undefined;
  const resources = served.flatMap(({ definition, version: servedVersion }) => [
    resourceOf(definition),
    ...[...servedVersion.subresources].map((subresource) => {
      const info = subresourceInfo(definition, subresource);
      return {
        name: `${definition.plural}/${subresource}`,
        singularName: '',
        namespaced: definition.namespaced,
        ...(info.group === definition.group && info.version === version
          ? {}
          : { group: info.group, version: info.version }),
        kind: info.kind,
        verbs: info.verbs,
      };
    }),
  ]);
  return {
    status: 200,
    body: { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: apiVersionOf(group, version), resources },
  };
}

function resourceOf(definition: ResourceDefinition): JsonObject {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories } = definition;
  return {
    name: plural,
    singularName: singular,
    namespaced,
    kind,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
  };
}

function aggregated(deps: DiscoveryDeps, root: 'api' | 'apis', version: string): ApiAnswer {
  const wanted = version === 'v2beta1' ? 'v2beta1' : 'v2';
  const groups = root === 'api' ? [''] : groupNames(deps.definitions);
  const items = groups.map((group) => ({
    metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
    versions: versionsOf(deps.definitions, group).map((name) => ({
      version: name,
      freshness: 'Current',
      resources: servedIn(deps.definitions, group, name).map((served) => aggregatedResource(served)),
    })),
  }));
  const type = `application/json;g=apidiscovery.k8s.io;v=${wanted};as=APIGroupDiscoveryList`;
  const body = { kind: 'APIGroupDiscoveryList', apiVersion: `apidiscovery.k8s.io/${wanted}`, metadata: {}, items };
  return { status: 200, headers: { 'content-type': type }, body };
}

function aggregatedResource({ definition, version }: Served): JsonObject {
  const { group, plural, singular, kind, namespaced, verbs, shortNames, categories } = definition;
  const subresources = [...version.subresources].map((subresource) => {
    const info = subresourceInfo(definition, subresource);
    return {
      subresource,
      responseKind: { group: info.group, version: info.version, kind: info.kind },
      verbs: info.verbs,
    };
  });
  return {
    resource: plural,
    responseKind: { group, version: version.version, kind },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.length > 0 ? { subresources } : {}),
  };
}
