/** Owns the way from watched objects to the state that requests are judged by. */
import type { KubeObject, UnknownObject } from '@kfctl/kube';
import type { Config } from './config.ts';
import { parseAuthorizationPolicy } from './istio/authorization-policy.ts';
import { resolveDelegations } from './istio/delegation.ts';
import type { ReportDelegation } from './istio/delegation.ts';
import { parseDestinationRule, unsafeRule } from './istio/destination-rule.ts';
import type { DestinationRuleModel } from './istio/destination-rule.ts';
import { parseEnvoyFilter } from './istio/envoy-filter.ts';
import type { EnvoyFilterModel } from './istio/envoy-filter.ts';
import { parseGateway } from './istio/gateway.ts';
import { createLastGood } from './istio/last-good.ts';
import type { LastGood, LastGoodOptions } from './istio/last-good.ts';
import { DEFAULT_MESH_CONFIG, parseMeshConfig } from './istio/mesh-config.ts';
import type { MeshConfig } from './istio/mesh-config.ts';
import { parseRequestAuthentication } from './istio/request-authentication.ts';
import type { Sources } from './istio/sources.ts';
import { parseVirtualService } from './istio/virtual-service.ts';
import type { VirtualServiceModel } from './istio/virtual-service.ts';
import { claimHeaderNames } from './jwt/check-token.ts';
import { identityHeaders } from './policy/identity-headers.ts';
import { createPolicyTable } from './policy/policy-table.ts';
import type { GatewayState } from './proxy/gateway-state.ts';
import { createFieldRules } from './request/field-rules.ts';
import { buildDestinationTable } from './routes/destination-table.ts';
import type { DestinationTable } from './routes/destination-table.ts';
import { buildRouteTable } from './routes/route-table.ts';
import { parseServiceHost } from './upstream/service-host.ts';
import type { EndpointSet } from './upstream/service-directory.ts';

export interface StateBuilderOptions {
  readonly sources: Sources;
  readonly config: Pick<Config, 'namespace' | 'labels'>;
  readonly warn: (object: KubeObject, reason: string, message: string) => void;
}

/** ConfigMap with Istio's mesh configuration, in the gateway's namespace. */
const MESH_CONFIG_MAP = 'istio';

/** Returns the function that builds the present state; unchanged objects are not parsed again. */
export function createStateBuilder({ sources, config, warn }: StateBuilderOptions): () => GatewayState {
  const { namespace, labels } = config;
  const report: LastGoodOptions<unknown>['report'] = (object, problems, kept) =>
    warn(object, 'Invalid', `${problems.join('; ')}${kept ? ' (the last good version stays in force)' : ''}`);
  const remark: LastGoodOptions<unknown>['remark'] = (object, notes) => warn(object, 'WithoutEffect', notes.join('; '));
  const follow = <T>(source: LastGoodOptions<T>['source'], parse: LastGoodOptions<T>['parse']): LastGood<T> =>
    createLastGood({ source, parse, report, remark });
  const gateways = follow(sources.gateways, parseGateway);
  const virtualServices = follow(sources.virtualServices, parseVirtualService);
  const readDestinations = createDestinationReader(follow(sources.destinationRules, parseDestinationRule), config);
  const readServices = createServiceReader(virtualServices, warn);
  const readSubsetNamespaces = remember(readServices, findSubsetNamespaces);
  const policies = follow(sources.authorizationPolicies, parseAuthorizationPolicy);
  const envoyFilters = follow(sources.envoyFilters, parseEnvoyFilter);
  const authentications = follow(sources.requestAuthentications, parseRequestAuthentication);
  const readMesh = createMeshReader(sources, namespace, warn);
  return () => {
    const filters = envoyFilters.models();
    const mesh = withAuthorizers(readMesh(), filters);
    const own = authentications.models().filter((model) => selectsGateway(model, config));
    const table = createPolicyTable({
      policies: [...policies.models(), ...filters.flatMap((filter) => filter.policies)],
      broken: [...policies.broken(), ...envoyFilters.broken()],
      mesh,
      rootNamespace: namespace,
    });
    return {
      mesh,
      table: buildRouteTable({
        gateways: gateways.models(),
        virtualServices: readServices(),
        labels,
        namespace,
      }),
      destinations: readDestinations(),
      subsetNamespaces: readSubsetNamespaces(),
      policies: table.select({ namespace, labels, knowsAllLabels: true }),
      destinationPolicies: rememberByEndpoints(({ service, labels }) =>
        table.select({ namespace: service.namespace, labels, knowsAllLabels: false }),
      ),
      tokenRules: own.flatMap(({ rules }) => rules),
      headRules: {
        fields: createFieldRules([...identityHeaders(mesh.authorizers.values()), ...claimHeaderNames(own)]),
        escapedSlashes: mesh.escapedSlashes,
      },
    };
  };
}

/** A rule that never was whole has no effect, but it never lets its service be spoken to in the clear against its wish. */
function createDestinationReader(
  rules: LastGood<DestinationRuleModel>,
  place: StateBuilderOptions['config'],
): () => DestinationTable {
  const readUnsafe = remember(
    () => rules.broken(),
    (objects) => objects.flatMap((object) => unsafeRule(object) ?? []),
  );
  return remember(
    () => [...rules.models(), ...readUnsafe()],
    (models) => buildDestinationTable({ rules: models, ...place }),
  );
}

/** With what they delegate to; each rule that leads nowhere is told once. */
function createServiceReader(
  services: LastGood<VirtualServiceModel>,
  warn: StateBuilderOptions['warn'],
): () => readonly VirtualServiceModel[] {
  const told = new WeakMap<UnknownObject, Set<string>>();
  const report: ReportDelegation = (object, problem) => {
    const before = told.get(object) ?? new Set<string>();
    told.set(object, before);
    if (before.has(problem)) return;
    before.add(problem);
    warn(object, 'DelegateMissing', problem);
  };
  return remember(
    () => services.models(),
    (models) => resolveDelegations(models, report),
  );
}

function findSubsetNamespaces(services: readonly VirtualServiceModel[]): ReadonlySet<string> {
  const found = new Set<string>();
  for (const { action } of services.flatMap(({ routes }) => routes)) {
    for (const { subset, host, namespace } of action.kind === 'forward' ? action.destinations : []) {
      const ref = subset === undefined ? undefined : parseServiceHost(host, namespace);
      if (ref !== undefined) found.add(ref.namespace);
    }
  }
  return found;
}

function selectsGateway(
  { namespace, selector }: { readonly namespace: string; readonly selector: ReadonlyMap<string, string> },
  config: StateBuilderOptions['config'],
): boolean {
  return namespace === config.namespace && [...selector].every(([key, value]) => config.labels.get(key) === value);
}

function withAuthorizers(mesh: MeshConfig, filters: readonly EnvoyFilterModel[]): MeshConfig {
  if (filters.length === 0) return mesh;
  const added = filters.flatMap(({ authorizers }) => authorizers.map((item) => [item.name, item] as const));
  return { ...mesh, authorizers: new Map([...mesh.authorizers, ...added]) };
}

/** Makes anew only when an item of the list is another one. */
function remember<T, R>(list: () => readonly T[], make: (items: readonly T[]) => R): () => R {
  let known: { readonly items: readonly T[]; readonly made: R } | undefined;
  return () => {
    const items = list();
    const isSame = known?.items.length === items.length && items.every((item, index) => item === known?.items[index]);
    if (known === undefined || !isSame) known = { items, made: make(items) };
    return known.made;
  };
}

function rememberByEndpoints<T>(find: (endpoints: EndpointSet) => T): (endpoints: EndpointSet) => T {
  const known = new WeakMap<EndpointSet, T>();
  return (endpoints) => {
    const found = known.get(endpoints) ?? find(endpoints);
    known.set(endpoints, found);
    return found;
  };
}

function createMeshReader(sources: Sources, namespace: string, warn: StateBuilderOptions['warn']): () => MeshConfig {
  let text: string | undefined;
  let mesh = DEFAULT_MESH_CONFIG;
  return () => {
    const object = sources.configMaps.get(MESH_CONFIG_MAP, namespace);
    const current = object?.data?.['mesh'];
    if (object === undefined || current === undefined) return DEFAULT_MESH_CONFIG;
    if (current === text) return mesh;
    text = current;
    const problems: string[] = [];
    const parsed = parse(current, problems);
    if (problems.length > 0) warn(object, 'Invalid', problems.join('; '));
    // Without a good version before, policies find no provider and refuse: closed, not open.
    if (problems.length === 0 && parsed !== undefined) mesh = parsed;
    return mesh;
  };
}

function parse(text: string, problems: string[]): MeshConfig | undefined {
  try {
    return parseMeshConfig(text, problems);
  } catch (error) {
    problems.push(error instanceof Error ? error.message : String(error));
    return undefined;
  }
}
