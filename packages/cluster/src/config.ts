/** Owns the command line of the cluster's process. */
import { resolve } from 'node:path';
import { AppError } from '@kfctl/core';
import type { Sandbox } from './node/sandbox/sandbox.ts';

// Not `import`: that reads every export of node:util, whose getters load worker threads, diffs and more.
const { parseArgs } = process.getBuiltinModule('node:util');

export interface ClusterConfig {
  /** Everything that the cluster keeps lies below it. */
  readonly dataDirectory: string;
  /** 6443 when absent; where the machine has one loopback address for all clusters, the next free one. */
  readonly apiPort?: number;
  /** `auto` tries which addresses the loopback interface has; the others are for tests of either case. */
  readonly loopback?: LoopbackMode;
  /** Tries these sandboxes only. */
  readonly sandboxes?: readonly Sandbox['kind'][];
  /** Directory of compiled code that pods of the platform share (NODE_COMPILE_CACHE). */
  readonly compileCache?: string;
}

export type LoopbackMode = 'auto' | 'single' | 'many';

const LOOPBACK_MODES = ['auto', 'single', 'many'] as const;
const SANDBOXES = ['root', 'user', 'none'] as const;

/** Parses `--data-dir DIRECTORY [--api-port PORT]` and the environment; throws AppError `CONFIG_INVALID`. */
export function parseConfig(args: readonly string[], env: Readonly<Record<string, string | undefined>>): ClusterConfig {
  const values = parseValues(args);
  const directory = values['data-dir'];
  if (directory === undefined || directory === '') throw invalid('--data-dir is missing');
  const apiPort = values['api-port'] === undefined ? undefined : Number(values['api-port']);
  if (apiPort !== undefined && !(Number.isInteger(apiPort) && apiPort >= 0 && apiPort <= 65_535))
    throw invalid(`${values['api-port']} is no port`);
  const compileCache = env['NODE_COMPILE_CACHE'];
  const sandbox = oneOf('KFCTL_SANDBOX', env['KFCTL_SANDBOX'], SANDBOXES);
  return {
    dataDirectory: resolve(directory),
    loopback: oneOf('KFCTL_LOOPBACK', env['KFCTL_LOOPBACK'], LOOPBACK_MODES) ?? 'auto',
    ...(apiPort === undefined ? {} : { apiPort }),
    ...(compileCache ? { compileCache } : {}),
    ...(sandbox === undefined ? {} : { sandboxes: [sandbox] }),
  };
}

function oneOf<T extends string>(name: string, value: string | undefined, known: readonly T[]): T | undefined {
  if (value === undefined || value === '') return undefined;
  const found = known.find((item) => item === value);
  if (found === undefined) throw invalid(`${name} is "${value}", and can be ${known.join(', ')}`);
  return found;
}

function parseValues(args: readonly string[]): { readonly 'data-dir'?: string; readonly 'api-port'?: string } {
  try {
    const options = { 'data-dir': { type: 'string' }, 'api-port': { type: 'string' } } as const;
    return { ...parseArgs({ args: [...args], options }).values };
  } catch (cause) {
    throw invalid((cause as Error).message);
  }
}

function invalid(message: string): AppError {
  return new AppError('CONFIG_INVALID', message, { hint: 'Usage: cluster --data-dir DIRECTORY [--api-port PORT]' });
}
