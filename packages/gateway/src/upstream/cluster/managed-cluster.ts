/** Owns a destination with a policy of its own: whom to send to, how much, and who is left out. */
import type { LoadBalancer } from '../../istio/traffic-policy/load-balancer.ts';
import type { PortPolicy } from '../../istio/traffic-policy/traffic-policy.ts';
import { failSoon } from '../fail-soon.ts';
import type { EndpointSet } from '../service-directory.ts';
import type { Upstream, UpstreamAddress, UpstreamExchange, UpstreamHandler, UpstreamRequest } from '../upstream.ts';
import { createBalancer } from './balance.ts';
import type { Balancer } from './balance.ts';
import type { Attempt, Cluster, Tried } from './cluster.ts';
import { readHashKey } from './hash-key.ts';
import type { BalancedRequest } from './hash-key.ts';
import { Host, hostKey, isTried } from './host.ts';
import { createOutliers } from './outliers.ts';
import type { Outliers } from './outliers.ts';
import type { ProtocolChoice } from './protocol.ts';
import { TrackedExchange } from './tracked-exchange.ts';

/** Requests on their way, those that are retries among them. */
export interface Load {
  requests: number;
  retries: number;
}

export interface ManagedClusterOptions {
  readonly policy: PortPolicy;
  readonly protocol: ProtocolChoice;
  readonly upstream: Upstream;
  /** Of an earlier form of the cluster: what it knows of its endpoints stays known. */
  readonly hosts: ReadonlyMap<string, Host>;
  readonly load: Load;
  readonly now: () => number;
  readonly random: () => number;
  readonly onEject: (host: Host) => void;
}

export class ManagedCluster implements Cluster {
  readonly endpoints: EndpointSet;
  readonly protocol: ProtocolChoice;
  readonly hosts: ReadonlyMap<string, Host>;
  readonly #list: readonly Host[];
  readonly #balancer: Balancer;
  readonly #policy: LoadBalancer | undefined;
  readonly #outliers: Outliers | undefined;
  readonly #upstream: Upstream;
  readonly #maxRequests: number;
  readonly #maxRetries: number;
  readonly #load: Load;

  constructor(endpoints: EndpointSet, options: ManagedClusterOptions) {
    const { policy, now, random, onEject } = options;
    this.endpoints = endpoints;
    this.protocol = options.protocol;
    const since = options.hosts.size === 0 ? -Infinity : now();
    this.#list = endpoints.addresses.map((address) => options.hosts.get(hostKey(address)) ?? new Host(address, since));
    this.hosts = new Map(this.#list.map((host) => [hostKey(host.address), host]));
    this.#policy = policy.loadBalancer;
    this.#balancer = createBalancer({ policy: policy.loadBalancer, random, now });
    const settings = policy.outliers;
    this.#outliers = settings && createOutliers({ settings, now, hosts: () => this.#list, onEject });
    this.#upstream = options.upstream;
    this.#load = options.load;
    this.#maxRequests = policy.limits?.maxRequests ?? Infinity;
    this.#maxRetries = policy.limits?.maxRetries ?? Infinity;
  }

  get hasRoomForRetry(): boolean {
    return this.#load.retries < this.#maxRetries;
  }

  pick(request: BalancedRequest, { addresses, areAvoided }: Tried): UpstreamAddress | undefined {
    const usable = this.#outliers?.usable(this.#list) ?? this.#list;
    if (usable.length === 0) return undefined;
    const isFirst = addresses.length === 0;
    const fresh = isFirst || !areAvoided ? usable : usable.filter(({ address }) => !isTried(address, addresses));
    const hosts = fresh.length === 0 ? usable : fresh;
    return this.#balancer.choose(hosts, this.#hashKey(request, isFirst))?.address;
  }

  send(attempt: Attempt, request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    const { address, isRetry } = attempt;
    const load = this.#load;
    if (load.requests >= this.#maxRequests) return failSoon(handler, 'overflow', 'too many requests');
    if (isRetry && load.retries >= this.#maxRetries) return failSoon(handler, 'overflow', 'too many retries');
    const host = this.hosts.get(hostKey(address)) ?? new Host(address);
    load.requests += 1;
    host.active += 1;
    if (isRetry) load.retries += 1;
    const tracked = new TrackedExchange(handler, (outcome) => {
      load.requests -= 1;
      host.active -= 1;
      if (isRetry) load.retries -= 1;
      if (outcome !== undefined) this.#outliers?.observe(host, outcome);
    });
    tracked.begin(this.#upstream.send(address, request, tracked));
    return tracked;
  }

  #hashKey(request: BalancedRequest, isFirst: boolean): number | undefined {
    return this.#policy?.kind === 'hash' ? readHashKey(this.#policy.key, request, isFirst) : undefined;
  }
}
