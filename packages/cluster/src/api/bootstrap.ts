/** Owns what a new cluster contains: namespaces, roles, the service of the API server itself. */
import { bootstrapRbac } from '../rbac/bootstrap-roles.ts';
import { aggregateClusterRoles } from '../rbac/aggregation.ts';
import type { Registry } from '../registry/registry.ts';
import { systemContext } from '../registry/request-context.ts';
import { asArray, asObject, asString, isEqual, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';

const NAMESPACES = ['default', 'kube-system', 'kube-public', 'kube-node-lease'];

export interface ApiAddress {
  readonly host: string;
  readonly port: number;
}

/** Makes what is missing; rights that a user took away from a bootstrap role come back, as on any cluster. */
export async function bootstrapCluster(registry: Registry, address: ApiAddress): Promise<void> {
  const wanted = [
    ...NAMESPACES.map((name) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })),
    ...bootstrapRbac,
  ];
  await Promise.all(wanted.map((object) => ensure(registry, object)));
  await aggregateClusterRoles(registry);
  await ensure(registry, kubernetesService());
  await Promise.all(kubernetesEndpoints(address).map((object) => ensure(registry, object)));
}

function kubernetesService(): JsonObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default', labels: { component: 'apiserver', provider: 'kubernetes' } },
    spec: { ports: [{ name: 'https', port: 443, targetPort: 6443, protocol: 'TCP' }], type: 'ClusterIP' },
  };
}

function kubernetesEndpoints({ host, port }: ApiAddress): JsonObject[] {
  const metadata = { name: 'kubernetes', namespace: 'default' };
  const labels = { 'kubernetes.io/service-name': 'kubernetes' };
  const ports = [{ name: 'https', port, protocol: 'TCP' }];
  return [
    {
      apiVersion: 'v1',
      kind: 'Endpoints',
      metadata: { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } },
      subsets: [{ addresses: [{ ip: host }], ports }],
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels },
      addressType: 'IPv4',
      endpoints: [{ addresses: [host], conditions: { ready: true } }],
      ports,
    },
  ];
}

/** Creates the object, or brings the fields that we decide up to date. */
async function ensure(registry: Registry, object: JsonObject): Promise<void> {
  const context = systemContext('apiserver');
  const [group = '', version = ''] = splitApiVersion(asString(object['apiVersion']));
  const served = registry.definitions.findKind(group, asString(object['kind']), version);
  if (served === undefined) return;
  const name = asString(valueAt(object, 'metadata', 'name'));
  const namespace = asString(valueAt(object, 'metadata', 'namespace'));
  const target = { served, namespace, name, subresource: '' };
  if (registry.deps.store.get(served.definition.table, namespace, name) === undefined) {
    await registry.create(target, { body: object, context });
    return;
  }
  await registry.update(target, { context, produce: (current) => bringUpToDate(current, object) });
}

function bringUpToDate(current: JsonObject, wanted: JsonObject): JsonObject {
  if (wanted['kind'] === 'Endpoints') return { ...current, subsets: wanted['subsets'] };
  if (wanted['kind'] === 'EndpointSlice') return { ...current, endpoints: wanted['endpoints'], ports: wanted['ports'] };
  if (wanted['kind'] !== 'ClusterRole' || wanted['aggregationRule'] !== undefined) return current;
  const present = asArray(current['rules']);
  const missing = asArray(wanted['rules']).filter((rule) => !present.some((own) => isEqual(own, asObject(rule))));
  return { ...current, rules: [...present, ...missing] };
}

function splitApiVersion(apiVersion: string): [string, string] {
  const mark = apiVersion.indexOf('/');
  return mark < 0 ? ['', apiVersion] : [apiVersion.slice(0, mark), apiVersion.slice(mark + 1)];
}
