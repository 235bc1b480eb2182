import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Browser } from './browser.ts';
import type { Visited } from './browser.ts';
import { PUBLIC_ORIGIN, startService, untilReady } from './harness.ts';
import type { ServiceUnderTest } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';
import type { HostileProvider } from './hostile-provider.ts';

interface Rotating {
  readonly provider: HostileProvider;
  readonly service: ServiceUnderTest;
  readonly browser: Browser;
  /** Refresh tokens that were used, in order. */
  readonly used: string[];
  /** What refreshes answer with. */
  answer: { status?: number; claims?: Record<string, unknown>; lifetimeSeconds: number };
}

/** A provider whose refresh tokens work once; access tokens are over at once unless told otherwise. */
async function startRotating(
  t: TestContext,
  answer: Rotating['answer'] = { lifetimeSeconds: 3_600 },
): Promise<Rotating> {
  const provider = await startHostileProvider(t);
  const used: string[] = [];
  const { token } = provider.answers;
  let count = 0;
  provider.answers.token = (request) => {
    const { body } = token(request);
    const fresh = { refresh_token: `rt-${(count += 1)}` };
    if (request.form.get('grant_type') !== 'refresh_token')
      return { body: { ...(body as object), ...fresh, expires_in: 0.001 } };
    used.push(request.form.get('refresh_token') ?? '');
    if (rotating.answer.status !== undefined)
      return { status: rotating.answer.status, body: { error: 'invalid_grant' } };
    if (used.at(-1) !== `rt-${count - 1}`) return { status: 400, body: { error: 'invalid_grant' } };
    provider.answers.claims = rotating.answer.claims ?? {};
    return { body: { ...(token(request).body as object), ...fresh, expires_in: rotating.answer.lifetimeSeconds } };
  };
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer });
  await untilReady(service);
  const browser = new Browser(service.port);
  assert.equal((await loginAt(provider, browser)).status, 302);
  // The access token's lifetime, one thousandth of a second, must be over.
  await new Promise((resolve) => setTimeout(resolve, 5));
  const rotating: Rotating = { provider, service, browser, used, answer };
  return rotating;
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
