import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Browser } from './browser.ts';
import type { Visited } from './browser.ts';
import { PUBLIC_ORIGIN, startService, untilReady } from './harness.ts';
import type { ServiceUnderTest } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';
import { rotateTokens, untilDue } from './rotating-provider.ts';
import type { Rotation } from './rotating-provider.ts';

interface Rotating extends Rotation {
  readonly service: ServiceUnderTest;
  readonly browser: Browser;
}

async function startRotating(
  t: TestContext,
  answer: Rotation['answer'] = { lifetimeSeconds: 3_600 },
): Promise<Rotating> {
  const provider = await startHostileProvider(t);
  const rotation = rotateTokens(provider, answer);
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer });
  await untilReady(service);
  const browser = new Browser(service.port);
  assert.equal((await loginAt(provider, browser)).status, 302);
  await untilDue();
  return { ...rotation, service, browser };
}

const ask = (browser: Browser): Promise<Visited> =>
  browser.fetch(`${PUBLIC_ORIGIN}/`, { headers: { accept: 'application/json', 'sec-fetch-mode': 'cors' } });

test('fifty requests at once cause one refresh, and nobody is logged out', async (t) => {
  const { browser, used } = await startRotating(t);
  const answers = await Promise.all(Array.from({ length: 50 }, () => ask(browser)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [200]);
  assert.deepEqual(used, ['rt-1']);
  assert.equal((await ask(browser)).status, 200);
  assert.deepEqual(used, ['rt-1']);
});

test('groups follow the provider', async (t) => {
  const { browser } = await startRotating(t, { lifetimeSeconds: 3_600, claims: { groups: ['new'] } });
  const answer = await ask(browser);
  assert.equal(answer.headers['kubeflow-groups'], 'new');
});

test('a person whom the provider no longer knows is out', async (t) => {
  const { browser, service } = await startRotating(t, { status: 400, lifetimeSeconds: 1 });
  const answers = await Promise.all(Array.from({ length: 5 }, () => ask(browser)));
  assert.deepEqual([...new Set(answers.map(({ status }) => status))], [401]);
  assert.match(service.logged(), /session ended by the provider/);
});

test('a refresh that names somebody else ends the session', async (t) => {
  const { browser } = await startRotating(t, { lifetimeSeconds: 3_600, claims: { sub: 'somebody-else' } });
  assert.equal((await ask(browser)).status, 401);
});

test('a provider in trouble ends no session, and is not asked on every request', async (t) => {
  const { browser, used } = await startRotating(t, { status: 503, lifetimeSeconds: 1 });
  for (let index = 0; index < 5; index += 1) assert.equal((await ask(browser)).status, 200);
  assert.equal(used.length, 1);
});
