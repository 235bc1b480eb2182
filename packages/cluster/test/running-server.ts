/** Owns API servers for tests: a fresh one on a free port, with an empty data directory, ended and removed with the test. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { silentLogger } from '@kfctl/core';
import { startApiServer } from '../src/index.ts';
import type { ApiServer, ApiServerOptions } from '../src/index.ts';

export async function runServer(t: TestContext, options: Partial<ApiServerOptions> = {}): Promise<ApiServer> {
  const dataDirectory = options.dataDirectory ?? (await mkdtemp(join(tmpdir(), 'kfctl-api-')));
  const shared = { host: '127.0.0.1', port: 0, serviceCidr: '127.90.8.0/24', log: silentLogger, volatile: true };
  const server = await startApiServer({ ...shared, ...options, dataDirectory });
  t.after(async () => {
    await server.close();
    if (options.dataDirectory === undefined) await rm(dataDirectory, { recursive: true, force: true });
  });
  return server;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs kubectl against the server; `input` goes to its stdin. */
export function kubectl(server: Pick<ApiServer, 'kubeconfigFile'>, args: readonly string[], input = ''): Promise<Ran> {
  return new Promise((resolve) => {
    const env = { ...process.env, KUBECONFIG: server.kubeconfigFile, HOME: join(server.kubeconfigFile, '..') };
    const child = execFile('kubectl', args, { env, timeout: 30_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
      resolve({ code, stdout, stderr });
    });
    child.stdin?.end(input);
  });
}
