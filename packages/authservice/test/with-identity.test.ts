import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Browser } from './browser.ts';
import { CLIENT_ID, CLIENT_SECRET, PUBLIC_ORIGIN, startService, untilReady } from './harness.ts';

/** bcrypt cost 10 of "password". */
const HASH = '$2y$10$uK9tzAHwz1xVE3s9JoMdLOd/vTogYo/.DJfRtxpv/sB4U/k2Dr5Fe';

const PROGRAM = path.join(import.meta.dirname, '../../identity/src/main.ts');

async function startIdentity(t: TestContext): Promise<number> {
  const port = await findFreePort();
  const directory = await mkdtemp(path.join(tmpdir(), 'authservice-identity-'));
  const file = path.join(directory, 'config.yaml');
  await writeFile(
    file,
    `issuer: http://127.0.0.1:${port}/dex
storage: {type: memory}
web: {http: "127.0.0.1:${port}"}
telemetry: {http: "127.0.0.1:0"}
oauth2: {skipApprovalScreen: true}
enablePasswordDB: true
staticPasswords:
- {email: admin@kubeflow.org, hash: "${HASH}", username: admin, userID: "1"}
staticClients:
- {id: ${CLIENT_ID}, name: Platform, secret: "${CLIENT_SECRET}", redirectURIs: [/login/oidc]}
`,
  );
  const child = spawn(process.execPath, [PROGRAM, 'serve', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  t.after(async () => {
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await rm(directory, { recursive: true, force: true });
  });
  let output = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      output += chunk.toString();
      if (/\bserving\b/.test(output)) resolve();
    });
    child.on('close', (code) => reject(new Error(`identity ended with ${code}: ${output}`)));
  });
  return port;
}

async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('our own identity provider behind the same origin, with paths only', async (t) => {
  const identityPort = await startIdentity(t);
  const service = await startService(t, {
    OIDC_PROVIDER: `http://127.0.0.1:${identityPort}/dex`,
    OIDC_AUTH_URL: '/dex/auth',
    REDIRECT_URL: '/login/oidc',
  });
  await untilReady(service);
  const browser = new Browser(service.port, { '/dex/': identityPort });
  const start = await browser.fetch(`${PUBLIC_ORIGIN}/pipeline/?x=1`);
  assert.match(
    start.headers.location ?? '',
    /^\/dex\/auth\?client_id=kubeflow-authservice-oidc&redirect_uri=%2Flogin%2Foidc&response_type=code&scope=openid\+profile\+email\+groups&state=/,
  );
  const form = await browser.open(`${PUBLIC_ORIGIN}/pipeline/?x=1`);
  assert.equal(form.status, 200);
  const refused = await browser.submitLogin(form, 'admin@kubeflow.org', 'wrong');
  assert.doesNotMatch(refused.headers.location ?? '', /login\/oidc/);
  const callback = await browser.untilCallback(await browser.submitLogin(form, 'admin@kubeflow.org', 'password'));
  const page = await browser.open(callback);
  assert.equal(page.url, `${PUBLIC_ORIGIN}/pipeline/?x=1`);
  assert.equal(page.status, 200);
  assert.equal(page.headers['kubeflow-userid'], 'admin@kubeflow.org');
});
