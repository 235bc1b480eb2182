/** The curated exports of load-balancer: what the installer and its doctor may use without running it. */
export { Allocator } from './allocate/allocator.ts';
export type { Assignment, Claim, Outcome, Wish } from './allocate/allocator.ts';
export { parsePoolConfig } from './pools/parse-pool-config.ts';
export type { ParsedConfig, Problem } from './pools/parse-pool-config.ts';
export { locateProblems, renderProblems, summariseProblems } from './pools/render-problems.ts';
export type { Pool } from './pools/pool.ts';
