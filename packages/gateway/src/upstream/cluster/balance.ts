/** Owns the choice of an endpoint: round robin, the less busy of two, at random, or by what a request has in common with others. */
import type { LoadBalancer, Warmup } from '../../istio/traffic-policy/load-balancer.ts';
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
  /** Milliseconds that only grow. */
  readonly now: () => number;
}

export function createBalancer(options: BalancerOptions): Balancer {
  const { policy } = options;
  const balancer = createSimple(options);
  if (policy === undefined || !('warmup' in policy) || policy.warmup === undefined) return balancer;
  return withWarmup(balancer, policy.warmup, options);
}

/** An endpoint that warms up is passed over for the one after it, the more often the newer it is. */
function withWarmup(balancer: Balancer, warmup: Warmup, { random, now }: BalancerOptions): Balancer {
  return {
    choose(hosts, key) {
      let chosen = balancer.choose(hosts, key);
      for (let turn = 1; turn < hosts.length && chosen !== undefined; turn += 1) {
        const share = shareOf(chosen, warmup, now());
        if (share === 1 || random() < share) break;
        chosen = balancer.choose(hosts, key);
      }
      return chosen;
    },
  };
}

/** Envoy's slow start: time to the power of 1/aggression, and at least the minimum. */
function shareOf({ knownSince }: Host, { durationMs, minimumPercent, aggression }: Warmup, at: number): number {
  const elapsed = (at - knownSince) / durationMs;
  return elapsed >= 1 ? 1 : Math.max(minimumPercent / 100, elapsed ** (1 / aggression));
}

function createSimple({ policy, random }: BalancerOptions): Balancer {
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
