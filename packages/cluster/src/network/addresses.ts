/**
 * Owns the plan of a local cluster's addresses: one block 127.A.0.0/16 of the loopback network.
 *
 *   127.A.0.1          API server, node          127.A.1.100-110    LoadBalancer services
 *   127.A.0.10         DNS                       127.A.8.0/21       cluster addresses of services
 *                                                127.A.128.0/17     pods
 */

export interface ClusterAddresses {
  /** The second number of the block. */
  readonly block: number;
  /** API server and node. */
  readonly host: string;
  readonly dns: string;
  readonly serviceCidr: string;
  readonly podCidr: string;
  /** `first-last`, as the load balancer's configuration writes ranges. */
  readonly loadBalancerRange: string;
  /** The address of the pod with this number, 0 … podCount - 1. */
  podAddress(index: number): string;
  /** The number of a pod address; undefined for any other. */
  podIndex(address: string): number | undefined;
  readonly podCount: number;
}

/** All that really exists on a machine whose loopback interface has a single address (macOS). */
const ONLY_ADDRESS = '127.0.0.1';

export const FIRST_BLOCK = 64;
export const LAST_BLOCK = 126;
/** Hosts 1 … 254 of each of the 128 subnets. */
const HOSTS = 254;
const SUBNETS = 128;

export function clusterAddresses(block: number): ClusterAddresses {
  const base = `127.${block}`;
  return {
    block,
    host: `${base}.0.1`,
    dns: `${base}.0.10`,
    serviceCidr: `${base}.8.0/21`,
    podCidr: `${base}.128.0/17`,
    loadBalancerRange: `${base}.1.100-${base}.1.110`,
    podCount: HOSTS * SUBNETS,
    podAddress: (index) => `${base}.${128 + Math.floor(index / HOSTS)}.${1 + (index % HOSTS)}`,
    podIndex(address) {
      const [a, b, c = -1, d = -1] = address.split('.').map(Number);
      if (a !== 127 || b !== block || c < 128 || d < 1 || d > HOSTS) return undefined;
      return (c - 128) * HOSTS + d - 1;
    },
  };
}

/** The same plan where only 127.0.0.1 exists: pods and services keep their addresses, what others must reach is bound there. */
export function singleAddress(addresses: ClusterAddresses): ClusterAddresses {
  return { ...addresses, host: ONLY_ADDRESS, loadBalancerRange: `${ONLY_ADDRESS}-${ONLY_ADDRESS}` };
}
