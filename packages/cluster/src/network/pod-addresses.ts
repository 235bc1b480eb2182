/** Owns the addresses of running pods: each pod has its own, a freed one rests before it is given again. */
import { AppError } from '@kfctl/core';
import type { ClusterAddresses } from './addresses.ts';

export interface PodAddressPool {
  /** The pod's address: the wanted one when it is free, otherwise the next that has rested longest. */
  take(podUid: string, wanted?: string): string;
  release(podUid: string): void;
}

export function createPodAddressPool(addresses: ClusterAddresses): PodAddressPool {
  const byPod = new Map<string, number>();
  const taken = new Set<number>();
  let next = 0;
  const nextFree = (): number => {
    for (let tries = 0; tries < addresses.podCount; tries += 1) {
      const index = next;
      next = (next + 1) % addresses.podCount;
      if (!taken.has(index)) return index;
    }
    throw new AppError('NO_POD_ADDRESS', 'every pod address is in use');
  };
  return {
    take(podUid, wanted) {
      const present = byPod.get(podUid);
      if (present !== undefined) return addresses.podAddress(present);
      const asked = wanted === undefined ? undefined : addresses.podIndex(wanted);
      const index = asked !== undefined && !taken.has(asked) ? asked : nextFree();
      if (index >= next) next = (index + 1) % addresses.podCount;
      byPod.set(podUid, index);
      taken.add(index);
      return addresses.podAddress(index);
    },
    release(podUid) {
      const index = byPod.get(podUid);
      if (index === undefined) return;
      byPod.delete(podUid);
      taken.delete(index);
    },
  };
}
