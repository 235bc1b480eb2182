import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, startService, untilReady } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';

interface Authorizer {
  readonly url: string;
  /** How it answers from now on. */
  answer: (response: ServerResponse) => unknown;
  readonly asked: string[];
  close(): void;
}

async function startAuthorizer(t: TestContext): Promise<Authorizer> {
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      authorizer.asked.push(body);
      authorizer.answer(response);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const close = (): void => {
    server.close();
    server.closeAllConnections();
  };
  t.after(close);
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/check`;
  const authorizer: Authorizer = { url, asked: [], answer: (response) => response.end(), close };
  return authorizer;
}

test('an external authorizer decides each request, its words are text, and its silence is no', async (t) => {
  const [provider, authorizer] = [await startHostileProvider(t), await startAuthorizer(t)];
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer, EXTERNAL_AUTHZ_URL: authorizer.url });
  await untilReady(service);
  const browser = new Browser(service.port);
  await loginAt(provider, browser);
  const page = (path = '/'): ReturnType<Browser['fetch']> => browser.fetch(PUBLIC_ORIGIN + path);
  const program = { headers: { 'sec-fetch-mode': 'cors', accept: 'application/json' } };

  assert.equal((await page('/pipeline/?x=1')).headers['kubeflow-userid'], 'eve@example.com');
  const { timestamp, ...question } = JSON.parse(authorizer.asked[0] ?? '') as Record<string, unknown>;
  assert.match(String(timestamp), /^\d{4}-\d\d-\d\dT/);
  assert.deepEqual(question, {
    user: { name: 'eve@example.com', id: 'eve@example.com', groups: [] },
    request: { host: 'kubeflow.test', port: 443, path: '/pipeline/', method: 'GET' },
  });

  const hostile = `<script>alert(1)</script><img src=x onerror="alert(2)">'&`;
  authorizer.answer = (response) => response.writeHead(403, { 'content-type': 'text/html' }).end(hostile);
  const refused = await page();
  assert.equal(refused.status, 403);
  assert.doesNotMatch(refused.body, /<script|<img/);
  assert.match(refused.body, /&lt;script&gt;alert\(1\)/);
  assert.match(String(refused.headers['content-security-policy']), /^default-src 'none'/);
  const told = await browser.fetch(`${PUBLIC_ORIGIN}/`, program);
  assert.equal(told.status, 403);
  assert.match(told.headers['content-type'] ?? '', /^text\/plain/);
  assert.equal(told.headers['x-content-type-options'], 'nosniff');
  assert.equal((await page('/authservice/verify/x')).status, 403);

  for (const status of [500, 302, 404]) {
    authorizer.answer = (response) => response.writeHead(status).end();
    assert.equal((await page()).status, 503, String(status));
  }
  authorizer.answer = (response) => response.destroy();
  assert.equal((await page()).status, 503);
  assert.equal((await page('/authservice/verify/x')).status, 503);
  assert.equal((await page('/dex/auth')).status, 200);
  // A refusal is of a request: the session is there as before.
  authorizer.answer = (response) => response.end();
  assert.equal((await page()).status, 200);
  authorizer.close();
  assert.equal((await page()).status, 503);
});
