/** A hundred thousand requests of people who never log in, at a provider of its own process: it keeps nothing of them, and logins go on. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { startIdentityProcess } from './identity-process.ts';
import { authUrl, configText } from './test-identity.ts';

const REQUESTS = 100_000;
const LANES = 32;
const MEGABYTE = 1_048_576;

test('100,000 requests without a login leave no row and no memory behind', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'identity-flood-'));
  const file = path.join(directory, 'config.yaml');
  const store = path.join(directory, 'dex.db');
  writeFileSync(
    file,
    configText({ storage: `type: sqlite3, config: {file: ${store}}`, more: 'logger: {level: info, format: json}' }),
  );
  const identity = startIdentityProcess(file);
  t.after(async () => {
    await identity.kill();
    rmSync(directory, { recursive: true });
  });
  const origin = await identity.origin;
  const agent = new Agent({ keepAlive: true, maxSockets: LANES });
  t.after(() => agent.destroy());
  const knock = async (): Promise<void> => {
    const status = await new Promise<number | undefined>((resolve, reject) => {
      const sent = request(`${origin}${authUrl({ state: crypto.randomUUID() })}`, { agent }, (response) => {
        response.resume();
        response.on('end', () => resolve(response.statusCode));
      });
      sent.on('error', reject);
      sent.end();
    });
    assert.equal(status, 302);
  };
  const flood = async (count: number): Promise<void> => {
    let left = count;
    const lane = async (): Promise<void> => {
      while (left-- > 0) await knock();
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  };
  const database = new DatabaseSync(store, { readOnly: true });
  t.after(() => database.close());
  const rows = (): unknown => database.prepare('SELECT count(*) AS count FROM record').get();
  const resident = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${identity.pid}/status`, 'utf8'))?.[1]);
  const before = rows();
  await flood(REQUESTS / 5);
  const warm = resident() * 1024;
  await flood((REQUESTS * 4) / 5);
  const grown = (resident() * 1024 - warm) / MEGABYTE;
  t.diagnostic(
    `resident ${Math.round(warm / MEGABYTE)} MB after ${REQUESTS / 5} requests, ${grown.toFixed(1)} MB more at the end`,
  );
  assert.deepEqual(rows(), before);
  assert.ok(grown < 64, `${grown} MB more`);
  const page = await fetch(`${origin}${authUrl()}`, { redirect: 'manual' });
  const form = new URLSearchParams({ login: 'zoe@example.com', password: 'password' });
  const login = await fetch(new URL(page.headers.get('location') ?? '', origin), {
    method: 'POST',
    body: form,
    redirect: 'manual',
  });
  assert.match(login.headers.get('location') ?? '', /^\/login\/oidc\?code=/);
});
