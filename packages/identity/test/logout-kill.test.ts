/** Logout notices over kill -9: a provider in a process of its own, a client that is down or slow just then. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { delay } from '@kfctl/core';
import { CookieBrowser } from './cookie-browser.ts';
import { startIdentityProcess } from './identity-process.ts';
import type { IdentityProcess } from './identity-process.ts';
import { claimsOf, configText, USERS } from './test-identity.ts';

interface Client {
  readonly address: string;
  readonly heard: string[];
  /** What it does with a notice. */
  behaviour: 'down' | 'hangs' | 'up';
}

async function startClient(t: TestContext): Promise<Client> {
  const client: Pick<Client, 'heard' | 'behaviour'> = { heard: [], behaviour: 'up' };
  const server = createServer((request, response) => {
    void text(request).then((body) => {
      client.heard.push(new URLSearchParams(body).get('logout_token') ?? '');
      if (client.behaviour !== 'hangs') response.writeHead(client.behaviour === 'up' ? 200 : 503).end();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return Object.assign(client, { address: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` });
}

/** A browser at a provider that is a process. */
async function browserAt(provider: IdentityProcess): Promise<CookieBrowser> {
  const origin = await provider.origin;
  const at = {
    fetch: (target: string, init: RequestInit = {}) => fetch(new URL(target, origin), { redirect: 'manual', ...init }),
  };
  // The part of a provider that a browser uses.
  return new CookieBrowser(at as CookieBrowser['at']);
}

for (const behaviour of ['down', 'hangs'] as const) {
  test(`a client that ${behaviour === 'down' ? 'is down' : 'hangs'} at a logout is told after the provider was killed and started again`, async (t) => {
    const client = await startClient(t);
    const directory = mkdtempSync(path.join(tmpdir(), 'logout-kill-'));
    const file = path.join(directory, 'config.yaml');
    const storage = `type: sqlite3, config: {file: "${directory}/identity.db"}`;
    const clients = `staticClients: [{id: app, name: App, secret: s, redirectURIs: [/login/oidc], backchannelLogoutURI: "${client.address}"}]\n`;
    const config = `sessions: {}\nlogger: {format: json}\n${USERS}${clients}`;
    writeFileSync(file, configText({ storage, config }));
    const first = startIdentityProcess(file);
    const started = [first];
    t.after(async () => {
      await Promise.all(started.map((one) => one.kill()));
      rmSync(directory, { recursive: true });
    });
    const browser = await browserAt(first);
    await browser.logIn();
    Object.assign(client, { behaviour });
    const form = {
      method: 'POST',
      headers: { 'sec-fetch-site': 'same-origin' },
      body: new URLSearchParams({ logout: 'yes' }),
    };
    // Undefined when the provider is killed before it answers.
    const loggedOut = browser.open('/dex/logout', form).catch(() => undefined);
    if (behaviour === 'down') assert.equal((await loggedOut)?.status, 200);
    while (client.heard.length === 0) await delay(10);
    await first.kill();
    assert.equal((await loggedOut) === undefined, behaviour === 'hangs');
    client.behaviour = 'up';
    started.push(startIdentityProcess(file));
    while (client.heard.length < 2) await delay(20);
    const [before, after] = client.heard.map(claimsOf);
    assert.equal(after?.['sid'], before?.['sid']);
    assert.notEqual(after?.['jti'], before?.['jti']);
  });
}
