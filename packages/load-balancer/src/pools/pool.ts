/** Owns what a pool is: blocks of addresses and the rules for handing them out. */
import type { Address } from '../address/address.ts';
import { blockContains, countBuggy, isBuggy } from '../address/block.ts';
import type { Block } from '../address/block.ts';

export interface Pool {
  readonly name: string;
  readonly protocol: 'layer2';
  readonly blocks: readonly Block[];
  /** False: used only when a service asks for it. */
  readonly autoAssign: boolean;
  readonly avoidBuggyIps: boolean;
}

/** The pool that may own the address, if any. */
export function poolOf(pools: readonly Pool[], address: Address): Pool | undefined {
  return pools.find((pool) => holds(pool, address));
}

export function holds(pool: Pool, address: Address): boolean {
  return !(pool.avoidBuggyIps && isBuggy(address)) && pool.blocks.some((block) => blockContains(block, address));
}

/** How many addresses a pool can hand out. */
export function poolSize(pool: Pool): bigint {
  return pool.blocks.reduce(
    (sum, block) => sum + block.last - block.first + 1n - (pool.avoidBuggyIps ? countBuggy(block) : 0n),
    0n,
  );
}
