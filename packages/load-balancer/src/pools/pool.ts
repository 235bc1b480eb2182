/** Owns what a pool is: blocks of addresses and the rules for handing them out. */
import type { LabelSelector } from '@kfctl/kube';
import type { Address, Family } from '../address/address.ts';
import { blockContains, countBuggy, isBuggy } from '../address/block.ts';
import type { Block } from '../address/block.ts';
import { matchesAny } from './label-selector.ts';
import type { Labels } from './label-selector.ts';

export interface Pool {
  readonly name: string;
  readonly protocol: 'layer2';
  readonly blocks: readonly Block[];
  /** False: used only when a service asks for it. */
  readonly autoAssign: boolean;
  readonly avoidBuggyIps: boolean;
  /** Present: only for the services that it names. */
  readonly allocation?: PoolAllocation;
}

export interface PoolAllocation {
  /** The lowest is used first, 0 last. */
  readonly priority: number;
  readonly namespaces: readonly string[];
  readonly namespaceSelectors: readonly LabelSelector[];
  readonly serviceSelectors: readonly LabelSelector[];
}

/** What a pool may ask about a service. */
export interface PoolGuest {
  readonly namespace?: string | undefined;
  readonly namespaceLabels?: Labels | undefined;
  readonly labels?: Labels | undefined;
}

/** True when the pool is for the service: its namespace and its labels must both be wanted, where they are named. */
export function admits(
  { allocation }: Pool,
  { namespace = '', namespaceLabels = {}, labels = {} }: PoolGuest,
): boolean {
  if (allocation === undefined) return true;
  const { namespaces, namespaceSelectors, serviceSelectors } = allocation;
  const anywhere = namespaces.length === 0 && namespaceSelectors.length === 0;
  const inPlace = anywhere || namespaces.includes(namespace) || matchesAny(namespaceSelectors, namespaceLabels);
  return inPlace && (serviceSelectors.length === 0 || matchesAny(serviceSelectors, labels));
}

/** The pools in which a service without a wish is served: those made for it by priority, then those for everybody. */
export function poolsFor(pools: readonly Pool[], guest: PoolGuest): readonly Pool[] {
  const rank = ({ allocation }: Pool): number =>
    allocation === undefined ? Infinity : allocation.priority === 0 ? Number.MAX_SAFE_INTEGER : allocation.priority;
  const open = pools.filter((pool) => pool.autoAssign && admits(pool, guest));
  return open.toSorted((left, right) => (rank(left) === rank(right) ? 0 : rank(left) - rank(right)));
}

/** The pool that may own the address, if any. */
export function poolOf(pools: readonly Pool[], address: Address): Pool | undefined {
  return pools.find((pool) => holds(pool, address));
}

export function holds(pool: Pool, address: Address): boolean {
  return !(pool.avoidBuggyIps && isBuggy(address)) && pool.blocks.some((block) => blockContains(block, address));
}

/** How many addresses (of one family) a pool can hand out. */
export function poolSize(pool: Pool, family?: Family): bigint {
  const blocks = pool.blocks.filter((block) => family === undefined || block.family === family);
  return blocks.reduce(
    (sum, block) => sum + block.last - block.first + 1n - (pool.avoidBuggyIps ? countBuggy(block) : 0n),
    0n,
  );
}
