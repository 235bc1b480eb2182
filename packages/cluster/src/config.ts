/** Owns the command line of the cluster's process. */
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { AppError } from '@kfctl/core';

export interface ClusterConfig {
  /** Everything that the cluster keeps lies below it. */
  readonly dataDirectory: string;
  readonly apiPort: number;
  /** Directory of compiled code that pods of the platform share (NODE_COMPILE_CACHE). */
  readonly compileCache?: string;
}

const DEFAULT_API_PORT = 6443;

/** Parses `--data-dir DIRECTORY [--api-port PORT]`; throws AppError `CONFIG_INVALID`. */
export function parseConfig(args: readonly string[], env: Readonly<Record<string, string | undefined>>): ClusterConfig {
  const values = parseValues(args);
  const directory = values['data-dir'];
  const apiPort = Number(values['api-port'] ?? DEFAULT_API_PORT);
  if (directory === undefined || directory === '') throw invalid('--data-dir is missing');
  if (!Number.isInteger(apiPort) || apiPort < 0 || apiPort > 65_535) throw invalid(`${values['api-port']} is no port`);
  const compileCache = env['NODE_COMPILE_CACHE'];
  return { dataDirectory: resolve(directory), apiPort, ...(compileCache ? { compileCache } : {}) };
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
