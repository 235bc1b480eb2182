/**
 * The provider is killed at random moments, over and over, while codes are issued and redeemed, tokens refreshed and keys rotated; each
 * next process is held to what the ones before have answered. The seed is printed, and KILL_SEED runs it again.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { silentLogger } from '@kfctl/core';
import { createKubeClient, loadKubeConfig, resources } from '@kfctl/kube';
import { startApiServer } from '../../cluster/src/index.ts';
import type { ApiServer } from '../../cluster/src/index.ts';
import { POSTGRES_MISSING, startPostgres } from '../../testkit/src/postgres.ts';
import type { PostgresServer } from '../../testkit/src/postgres.ts';
import { startIdentityProcess } from './identity-process.ts';
import type { IdentityProcess } from './identity-process.ts';
import { ledgerConfig } from './ledger-config.ts';
import { TokenLedger } from './token-ledger.ts';

const SEED = Number(process.env['KILL_SEED'] ?? Date.now() % 1_000_000);
const LANES = 6;

interface Storage {
  /** A flow mapping of YAML. */
  readonly storage: string;
  readonly env?: Record<string, string>;
  readonly rounds: number;
}

async function killOverAndOver(t: TestContext, { storage, env = {}, rounds }: Storage): Promise<void> {
  t.diagnostic(`KILL_SEED=${SEED}`);
  const choose = seeded(SEED);
  const directory = mkdtempSync(path.join(tmpdir(), 'identity-kill-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const file = path.join(directory, 'config.yaml');
  writeFileSync(file, ledgerConfig(storage.replaceAll('$DIRECTORY', directory)));
  const ledger = new TokenLedger();
  let running: IdentityProcess | undefined;
  t.after(() => running?.kill());
  let rotations = 0;
  for (let round = 0; round < rounds; round += 1) {
    // Killed while it starts: that is when keys are made and rotated.
    running = startIdentityProcess(file, env);
    await wait(choose() * 1500);
    await running.kill();
    const identity = startIdentityProcess(file, env);
    running = identity;
    const origin = await identity.origin;
    await ledger.verify(origin);
    const lanes = Array.from({ length: LANES }, () => ledger.use(origin, { choose, isGone: () => identity.killed }));
    await Promise.all([...lanes, wait(50 + choose() * 400).then(() => identity.kill())]);
    if (identity.output().includes('signing key rotated')) rotations += 1;
  }
  running = startIdentityProcess(file, env);
  await ledger.verify(await running.origin);
  t.diagnostic(`verified ${JSON.stringify(ledger.verified)}, ${rotations} rotations under load`);
  assert.ok(ledger.verified.answered > rounds && ledger.verified.used > rounds && ledger.verified.sent > 0);
  assert.ok(rotations > 0);
}

/** Numbers from 0 to 1, the same ones for a seed (xorshift). */
function seeded(seed: number): () => number {
  let state = seed === 0 ? 1 : seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}

test('SQLite: nothing that was answered is lost, nothing is used twice', async (t) => {
  await killOverAndOver(t, { storage: '{type: sqlite3, config: {file: $DIRECTORY/dex.db}}', rounds: 8 });
});

describe('PostgreSQL', POSTGRES_MISSING === undefined ? {} : { skip: POSTGRES_MISSING }, () => {
  let server: PostgresServer;
  before(async () => {
    server = await startPostgres();
    server.createDatabase('dex');
  });
  after(() => server.remove());

  test('nothing that was answered is lost, nothing is used twice', async (t) => {
    const { host, port, password } = server;
    const config = `{host: "${host}", port: ${port}, database: dex, user: dex, password: ${password}, ssl: {mode: disable}}`;
    await killOverAndOver(t, { storage: `{type: postgres, config: ${config}}`, rounds: 5 });
  });
});

describe('custom resources on the local cluster', () => {
  let server: ApiServer;
  let directory: string;
  before(async () => {
    directory = mkdtempSync(path.join(tmpdir(), 'identity-kill-api-'));
    const place = { host: '127.0.0.1', port: 0, serviceCidr: '127.90.9.0/24', dataDirectory: directory };
    server = await startApiServer({ ...place, log: silentLogger, volatile: true });
    const client = createKubeClient(await loadKubeConfig({ env: {}, kubeconfig: server.kubeconfigFile }));
    await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'identity' } });
    client.close();
  });
  after(async () => {
    await server.close();
    rmSync(directory, { recursive: true, force: true });
  });

  test('nothing that was answered is lost, nothing is used twice', async (t) => {
    const storage = `{type: kubernetes, config: {kubeConfigFile: ${server.kubeconfigFile}}}`;
    await killOverAndOver(t, { storage, env: { KUBERNETES_POD_NAMESPACE: 'identity' }, rounds: 5 });
  });
});
