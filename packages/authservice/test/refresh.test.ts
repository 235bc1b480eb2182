import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Browser } from './browser.ts';
import type { Visited } from './browser.ts';
import { PUBLIC_ORIGIN, send, startService, untilReady } from './harness.ts';
import type { ServiceUnderTest } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';
import type { HostileProvider } from './hostile-provider.ts';
import { rotateTokens, untilDue } from './rotating-provider.ts';
import type { Rotation } from './rotating-provider.ts';

interface Rotating extends Rotation {
  readonly provider: HostileProvider;
  readonly service: ServiceUnderTest;
  readonly browser: Browser;
}

async function startRotating(
  t: TestContext,
  answer: Rotation['answer'] = { lifetimeSeconds: 3_600 },
  atLogin: Partial<HostileProvider['answers']> = {},
): Promise<Rotating> {
  const provider = await startHostileProvider(t);
  Object.assign(provider.answers, atLogin);
  const rotation = rotateTokens(provider, answer);
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer });
  await untilReady(service);
  const browser = new Browser(service.port);
  assert.equal((await loginAt(provider, browser)).status, 302);
  await untilDue();
  return { ...rotation, provider, service, browser };
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

test('who has left the last of their groups has none', async (t) => {
  const { browser } = await startRotating(t, { lifetimeSeconds: 3_600 }, { claims: { groups: ['admins'] } });
  const answer = await ask(browser);
  assert.equal(answer.status, 200);
  assert.equal(answer.headers['kubeflow-groups'], undefined);
});

test('a refresh tells API tokens of changed groups too', async (t) => {
  const groups = { groups: ['admins'] };
  const answer = { lifetimeSeconds: 0.001, claims: groups };
  const rotating = await startRotating(t, answer, { claims: groups });
  const { browser, service } = rotating;
  const headers = { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin' };
  const address = `${PUBLIC_ORIGIN}/authservice/api/tokens`;
  const made = await browser.fetch(address, { method: 'POST', headers, body: '{"name":"ci"}' });
  const { token } = JSON.parse(made.body) as { readonly token: string };
  const use = (): ReturnType<typeof send> =>
    send({ port: service.port, path: '/', headers: { authorization: `Bearer ${token}` } });
  assert.equal((await use()).headers['kubeflow-groups'], 'admins');
  await untilDue();
  rotating.answer.claims = { groups: ['staff'] };
  assert.equal((await ask(browser)).headers['kubeflow-groups'], 'staff');
  assert.equal((await use()).headers['kubeflow-groups'], 'staff');
});

test('groups that userinfo alone tells follow the provider too, and stay while it does not answer', async (t) => {
  const userinfo = (): { body: unknown } => ({ body: { sub: 'subject-1', groups: ['old'] } });
  const { browser, provider, answer } = await startRotating(t, { lifetimeSeconds: 0.001 }, { userinfo });
  provider.answers.userinfo = () => ({ status: 500, body: {} });
  assert.equal((await ask(browser)).headers['kubeflow-groups'], 'old');
  await untilDue();
  answer.lifetimeSeconds = 3_600;
  provider.answers.userinfo = () => ({ body: { sub: 'subject-1', groups: ['new'] } });
  assert.equal((await ask(browser)).headers['kubeflow-groups'], 'new');
});

test('userinfo of somebody else at a refresh ends the session', async (t) => {
  const { browser, provider } = await startRotating(t);
  provider.answers.userinfo = () => ({ body: { sub: 'somebody-else', groups: ['admins'] } });
  assert.equal((await ask(browser)).status, 401);
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
