/** Owns whole local clusters for tests: API server, controllers, network and node in this process, ended and removed with the test. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { silentLogger } from '@kfctl/core';
import type { KubeClient, KubeObject, ResourceType } from '@kfctl/kube';
import type { ClusterConfig } from '../src/config.ts';
import { startCluster } from '../src/start-cluster.ts';
import type { RunningCluster } from '../src/start-cluster.ts';

export interface TestCluster {
  readonly client: KubeClient;
  readonly cluster: RunningCluster;
  readonly kubeconfigFile: string;
  readonly dataDirectory: string;
  stop(): Promise<void>;
}

/** An own data directory is kept for the next start; the other kind goes with the cluster. */
export async function startTestCluster(
  dataDirectory?: string,
  choices: Partial<ClusterConfig> = { apiPort: 6443 },
): Promise<TestCluster> {
  const directory = dataDirectory ?? (await mkdtemp(join(tmpdir(), 'kfctl-cluster-')));
  const cluster = await startCluster({ dataDirectory: directory, ...choices }, silentLogger);
  return {
    client: cluster.api.createClient('test'),
    cluster,
    kubeconfigFile: cluster.api.kubeconfigFile,
    dataDirectory: directory,
    async stop() {
      await cluster.stop();
      if (dataDirectory === undefined) await rm(directory, { recursive: true, force: true });
    },
  };
}

export async function runCluster(t: TestContext, dataDirectory?: string): Promise<TestCluster> {
  const started = await startTestCluster(dataDirectory);
  t.after(() => started.stop());
  return started;
}

const PATIENCE_MS = 20_000;

export interface Place {
  readonly name: string;
  readonly namespace?: string;
}

/** Resolves with the object once the condition holds; follows a watch, so that nothing is missed and nothing sleeps. */
export async function until<T extends KubeObject>(
  client: KubeClient,
  type: ResourceType<T>,
  { place, is }: { readonly place: Place; readonly is: (object: T | undefined) => boolean },
): Promise<T | undefined> {
  const { name, namespace } = place;
  const where = namespace === undefined ? {} : { namespace };
  const signal = AbortSignal.timeout(PATIENCE_MS);
  const present = await client.get(type, name, where);
  if (is(present)) return present;
  for await (const event of client.watch(type, { ...where, fieldSelector: `metadata.name=${name}`, signal })) {
    if (event.kind === 'bookmark') continue;
    const object = event.kind === 'deleted' ? undefined : event.object;
    if (is(object)) return object;
  }
  const last = await client.get(type, name, where);
  if (is(last)) return last;
  throw new Error(`${type.kind} ${name} did not get there: ${JSON.stringify(last)}`);
}
