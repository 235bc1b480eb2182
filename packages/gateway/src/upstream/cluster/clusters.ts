/** Owns all clusters: made when a route first leads to them, renewed when rules, services, endpoints or pods change. */
import type { Destination } from '../../istio/route-action.ts';
import type { PodSources } from '../../istio/sources.ts';
import { NO_POLICY } from '../../istio/traffic-policy/traffic-policy.ts';
import type { PortPolicy } from '../../istio/traffic-policy/traffic-policy.ts';
import { EMPTY_DESTINATION_TABLE } from '../../routes/destination-table.ts';
import type { DestinationPolicy, DestinationTable } from '../../routes/destination-table.ts';
import type { EndpointSet, ServiceDirectory } from '../service-directory.ts';
import type { Upstream } from '../upstream.ts';
import { PlainCluster } from './cluster.ts';
import type { Cluster } from './cluster.ts';
import type { Host } from './host.ts';
import { ManagedCluster } from './managed-cluster.ts';
import type { Load } from './managed-cluster.ts';
import { chooseProtocol } from './protocol.ts';
import type { ProtocolChoice } from './protocol.ts';
import { selectSubset } from './subset-endpoints.ts';

export type ClusterTarget = Pick<Destination, 'host' | 'port' | 'subset' | 'namespace'>;

export interface Clusters {
  /** Remembered for the target object. Undefined: no such service or port. `no-subset`: the rules know no such subset. */
  find(target: ClusterTarget): Cluster | 'no-subset' | undefined;
  /** New rules: every cluster is judged again at its next request. */
  useRules(rules: DestinationTable): void;
  close(): void;
}

export interface UpstreamKind {
  readonly policy: PortPolicy;
  readonly protocol: ProtocolChoice;
  /** The destination's full host. */
  readonly endpoints: EndpointSet;
}

export interface ClustersOptions {
  readonly directory: ServiceDirectory;
  readonly pods: PodSources;
  /** For destinations without a policy: one for all of a protocol. */
  readonly plain: (protocol: ProtocolChoice) => Upstream;
  readonly openUpstream: (kind: UpstreamKind) => Upstream;
  readonly now: () => number;
  readonly random: () => number;
  readonly onEject: (cluster: Cluster, host: Host) => void;
}

/** What lives on when a cluster is made anew. */
interface Kept {
  readonly form: string;
  readonly upstream: Upstream;
  readonly load: Load;
  hosts: ReadonlyMap<string, Host>;
  /** Found since the last change; others are given up at the next. */
  isUsed: boolean;
}

export function createClusters(options: ClustersOptions): Clusters {
  const { directory, pods } = options;
  const kept = new Map<string, Kept>();
  let rules = EMPTY_DESTINATION_TABLE;
  let found = new WeakMap<ClusterTarget, Cluster>();
  const forget = (): void => void (found = new WeakMap());
  directory.onChange(forget);
  pods.onChange(forget);
  const build = (destination: ClusterTarget): Cluster | 'no-subset' | undefined => {
    const endpoints = directory.find(destination);
    if (endpoints === undefined) return undefined;
    const applying = rules.find(endpoints.service, endpoints.port, destination.subset);
    if (applying === undefined) return 'no-subset';
    const chosen = withSubset(endpoints, applying, pods);
    const protocol = chooseProtocol(endpoints.protocol, applying.policy.limits);
    if (applying.policy === NO_POLICY) return new PlainCluster(chosen, protocol, options.plain(protocol));
    return manage({ options, kept, destination, kind: { policy: applying.policy, protocol, endpoints: chosen } });
  };
  return {
    find(destination) {
      const known = found.get(destination);
      if (known !== undefined) return known;
      const cluster = build(destination);
      if (cluster !== undefined && cluster !== 'no-subset') found.set(destination, cluster);
      return cluster;
    },
    useRules(next) {
      if (next === rules) return;
      rules = next;
      forget();
      for (const [key, item] of kept) {
        if (!item.isUsed) giveUp(kept, key, item);
        item.isUsed = false;
      }
    },
    close() {
      for (const protocol of ['http1', 'http2'] as const) options.plain(protocol).close();
      for (const { upstream } of kept.values()) upstream.close();
    },
  };
}

function withSubset(endpoints: EndpointSet, { labels }: DestinationPolicy, pods: PodSources): EndpointSet {
  if (labels === undefined || labels.size === 0) return endpoints;
  return selectSubset(endpoints, labels, pods.of(endpoints.service.namespace));
}

interface Managing {
  readonly options: ClustersOptions;
  readonly kept: Map<string, Kept>;
  readonly destination: ClusterTarget;
  readonly kind: UpstreamKind;
}

/** Connections and what is known of endpoints survive every change but one of the policy itself. */
function manage({ options, kept, destination, kind }: Managing): Cluster {
  const { service, port } = kind.endpoints;
  const key = `${service.namespace}/${service.name}:${port}/${destination.subset ?? ''}`;
  const form = JSON.stringify([kind.policy, kind.protocol]);
  const before = kept.get(key);
  if (before !== undefined && before.form !== form) giveUp(kept, key, before);
  const item = kept.get(key) ?? open(form, options.openUpstream(kind));
  item.isUsed = true;
  const cluster: ManagedCluster = new ManagedCluster(kind.endpoints, {
    policy: kind.policy,
    protocol: kind.protocol,
    upstream: item.upstream,
    hosts: item.hosts,
    load: item.load,
    now: options.now,
    random: options.random,
    onEject: (host) => options.onEject(cluster, host),
  });
  item.hosts = cluster.hosts;
  kept.set(key, item);
  return cluster;
}

function open(form: string, upstream: Upstream): Kept {
  return { form, upstream, load: { requests: 0, retries: 0 }, hosts: new Map(), isUsed: true };
}

/** Requests on their way end on the connections that they have. */
function giveUp(kept: Map<string, Kept>, key: string, { upstream }: Kept): void {
  kept.delete(key);
  upstream.close();
}
