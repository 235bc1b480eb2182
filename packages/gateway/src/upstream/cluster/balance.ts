/** Owns the choice of an endpoint: round robin, the less busy of two, at random, or by what a request has in common with others. */
import type { LoadBalancer } from '../../istio/traffic-policy/load-balancer.ts';
import { mix } from './host.ts';
import type { Host } from './host.ts';

export interface Balancer {
  /** From a list that is not empty. `key` is the hash of what the policy looks at; undefined: the request has no such thing. */
  choose(hosts: readonly Host[], key: number | undefined): Host | undefined;
}

export interface BalancerOptions {
  readonly policy: LoadBalancer | undefined;
  /** At least 0 and below 1. */
  readonly random: () => number;
}

export function createBalancer({ policy, random }: BalancerOptions): Balancer {
  const any = (hosts: readonly Host[]): Host | undefined => hosts[Math.floor(random() * hosts.length)];
  switch (policy?.kind) {
    case 'random':
      return { choose: any };
    case 'least-request':
      return { choose: (hosts) => lessBusy(any(hosts), any(hosts)) };
    case 'hash':
      return { choose: (hosts, key) => (key === undefined ? any(hosts) : rendezvous(hosts, key)) };
    default:
      return createRoundRobin();
  }
}

function createRoundRobin(): Balancer {
  let next = 0;
  return {
    choose(hosts) {
      next = (next + 1) % hosts.length;
      return hosts[next];
    },
  };
}

/** Power of two choices: Envoy's least request for endpoints of equal weight. */
function lessBusy(first: Host | undefined, second: Host | undefined): Host | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return second.active < first.active ? second : first;
}

/** Highest random weight: when an endpoint goes, only its own keys move, and when it returns they move back. */
function rendezvous(hosts: readonly Host[], key: number): Host | undefined {
  let best: Host | undefined;
  let highest = -1;
  for (const host of hosts) {
    const weight = mix(host.seed ^ key);
    if (weight <= highest) continue;
    highest = weight;
    best = host;
  }
  return best;
}
