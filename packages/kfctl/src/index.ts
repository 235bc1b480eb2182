/** The curated exports of kfctl: the command line as a function, for tests and benchmarks. */
export { runKfctl } from './cli/run-kfctl.ts';
export type { RunOptions } from './cli/run-kfctl.ts';
export type { Output } from './cli/terminal.ts';
