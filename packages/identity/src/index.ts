/** The curated exports of identity: what the command line needs to lint a configuration. */
export { parseConfig } from './config/parse-config.ts';
export type { ParsedConfig } from './config/parse-config.ts';
export type { IdentityConfig } from './config/config.ts';
export { renderProblems } from './config/problems.ts';
export type { Problem } from './config/problems.ts';
