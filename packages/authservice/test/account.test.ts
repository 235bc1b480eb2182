import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { Browser } from './browser.ts';
import type { Visited } from './browser.ts';
import { PUBLIC_ORIGIN, send, startService, untilReady } from './harness.ts';
import type { RawResponse, ServiceUnderTest } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';
import type { HostileProvider } from './hostile-provider.ts';

interface Item {
  readonly id: string;
  readonly user: string;
  readonly current?: boolean;
  readonly name?: string;
}

describe('sessions and API tokens in the hands of people', () => {
  const cleanUp: (() => unknown)[] = [];
  let provider: HostileProvider;
  let service: ServiceUnderTest;

  before(async () => {
    const context = { after: (end: () => unknown) => void cleanUp.push(end) } as unknown as TestContext;
    provider = await startHostileProvider(context);
    service = await startService(context, {
      OIDC_PROVIDER: provider.issuer,
      ADMINISTRATORS: 'root@example.com',
      GROUPS_ALLOWLIST: 'staff, other people',
    });
    await untilReady(service);
  });
  after(async () => {
    for (const end of cleanUp.toReversed()) await end();
  });

  const login = async (email: string, groups = ['staff']): Promise<Browser> => {
    provider.answers.claims = { email, groups, sub: email };
    provider.answers.userinfo = () => ({ body: { sub: email } });
    const browser = new Browser(service.port);
    assert.equal((await loginAt(provider, browser)).status, 302);
    return browser;
  };
  const call = (browser: Browser, method: string, path: string, body?: unknown): Promise<Visited> =>
    browser.fetch(`${PUBLIC_ORIGIN}/authservice/api/${path}`, {
      method,
      headers: {
        accept: 'application/json',
        'sec-fetch-mode': 'cors',
        'sec-fetch-site': 'same-origin',
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  const items = async (browser: Browser, path: string): Promise<Item[]> =>
    Object.values(JSON.parse((await call(browser, 'GET', path)).body) as Record<string, Item[]>)[0] ?? [];
  const withToken = (token: string, path = '/', method = 'GET'): Promise<RawResponse> =>
    send({ port: service.port, path, method, headers: { authorization: `Bearer ${token}` } });
  const makeToken = async (
    browser: Browser,
    more: Record<string, unknown> = {},
  ): Promise<{ id: string; token: string }> => {
    const made = await call(browser, 'POST', 'tokens', { name: 'ci', ...more });
    assert.equal(made.status, 201, made.body);
    return JSON.parse(made.body) as { id: string; token: string };
  };

  test('a person sees and ends their own sessions only', async () => {
    const [here, there, stranger] = [
      await login('ann@example.com'),
      await login('ann@example.com'),
      await login('eve@example.com'),
    ];
    const mine = await items(here, 'sessions');
    assert.deepEqual(
      mine.map((item) => item.user),
      ['ann@example.com', 'ann@example.com'],
    );
    assert.equal(mine.filter((item) => item.current).length, 1);
    const other = mine.find((item) => item.current !== true)?.id ?? '';
    assert.equal((await call(stranger, 'DELETE', `sessions/${other}`)).status, 404);
    assert.equal((await call(stranger, 'GET', 'sessions?user=ann%40example.com')).status, 403);
    assert.equal((await call(stranger, 'GET', 'sessions?user=*')).status, 403);
    assert.equal((await call(there, 'GET', 'sessions')).status, 200);
    assert.equal((await call(here, 'DELETE', `sessions/${other}`)).status, 204);
    assert.equal((await call(there, 'GET', 'sessions')).status, 401);
    await login('ann@example.com');
    assert.equal((await call(here, 'DELETE', 'sessions')).status, 204);
    assert.deepEqual(
      (await items(here, 'sessions')).map((item) => item.current),
      [true],
    );
  });

  test("an administrator sees and ends everybody's", async () => {
    const [root, ann] = [await login('root@example.com'), await login('annette@example.com')];
    const [session] = await items(root, 'sessions?user=annette%40example.com');
    assert.ok((await items(root, 'sessions?user=*')).length >= 2);
    assert.equal((await call(root, 'DELETE', `sessions/${session?.id}`)).status, 204);
    assert.equal((await call(ann, 'GET', 'sessions')).status, 401);
  });

  test('other sites can neither look nor change', async () => {
    const ann = await login('ann@example.com');
    for (const headers of [{ 'sec-fetch-site': 'cross-site' }, { origin: 'https://evil.example' }] as Record<
      string,
      string
    >[]) {
      for (const [method, path] of [
        ['DELETE', 'sessions'],
        ['POST', 'tokens'],
      ]) {
        const answer = await ann.fetch(`${PUBLIC_ORIGIN}/authservice/api/${path}`, {
          method: method ?? '',
          headers: { 'content-type': 'application/json', ...headers },
          ...(method === 'POST' ? { body: JSON.stringify({ name: 'evil' }) } : {}),
        });
        assert.equal(answer.status, 403);
        assert.equal(answer.headers['access-control-allow-origin'], undefined);
      }
    }
    const form = await ann.fetch(`${PUBLIC_ORIGIN}/authservice/api/tokens`, {
      method: 'POST',
      headers: { 'content-type': 'text/plain', 'sec-fetch-site': 'same-origin' },
      body: '{"name":"evil"}',
    });
    assert.equal(form.status, 415);
    assert.deepEqual(await items(ann, 'tokens'), []);
  });

  test('a token stands for its maker, in a header, within its limits, until it is deleted', async () => {
    const ann = await login('ann@example.com');
    const { id, token } = await makeToken(ann, { readOnly: true, paths: ['/pipeline'], expiresInDays: 1 });
    const answer = await withToken(token, '/pipeline/apis/v1');
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['kubeflow-userid'], 'ann@example.com');
    assert.match(String(answer.headers['x-envoy-auth-headers-to-remove']), /authorization/);
    // Some servers would take a GET for what these say.
    assert.match(String(answer.headers['x-envoy-auth-headers-to-remove']), /x-http-method-override/);
    assert.equal((await withToken(token, '/pipeline/apis/v1', 'POST')).status, 401);
    assert.equal((await withToken(token, '/jupyter/')).status, 401);
    assert.equal((await withToken(token, '/pipelines')).status, 401);
    assert.equal((await withToken(token, '/pipeline/../jupyter')).status, 401);
    const asCookie = await send({
      port: service.port,
      path: '/pipeline/',
      headers: { cookie: `authservice_session=${token}` },
    });
    assert.equal(asCookie.status, 302);
    assert.deepEqual(
      (await items(ann, 'tokens')).map((item) => [item.id, item.name]),
      [[id, 'ci']],
    );
    assert.equal(
      (await items(ann, 'sessions')).some((item) => item.id === id),
      false,
    );
    const eve = await login('eve@example.com');
    assert.equal((await call(eve, 'DELETE', `tokens/${id}`)).status, 404);
    assert.equal((await call(ann, 'DELETE', `tokens/${id}`)).status, 204);
    assert.equal((await withToken(token, '/pipeline/apis/v1')).status, 401);
  });

  test('a token has the groups that its maker has, as of the last login anywhere', async () => {
    const lou = await login('lou@example.com', ['staff', 'admins']);
    const { token } = await makeToken(lou);
    const other = await makeToken(await login('mia@example.com', ['staff', 'admins']));
    assert.equal((await withToken(token)).headers['kubeflow-groups'], 'staff,admins');
    await login('lou@example.com', ['staff']);
    assert.equal((await withToken(token)).headers['kubeflow-groups'], 'staff');
    await login('lou@example.com', ['guests']);
    assert.equal((await withToken(token)).status, 403);
    assert.equal((await withToken(other.token)).headers['kubeflow-groups'], 'staff,admins');
  });

  test('a token cannot make, list or end anything', async () => {
    const ann = await login('ann@example.com');
    const { id, token } = await makeToken(ann);
    for (const [method, path] of [
      ['GET', 'tokens'],
      ['POST', 'tokens'],
      ['GET', 'sessions'],
      ['DELETE', 'sessions'],
      ['DELETE', `tokens/${id}`],
    ] as const) {
      assert.equal((await withToken(token, `/authservice/api/${path}`, method)).status, 403, `${method} ${path}`);
    }
    assert.equal((await withToken(token)).status, 200);
  });

  test('tokens that make no sense are refused', async () => {
    const ann = await login('ann@example.com');
    for (const body of [
      {},
      { name: '' },
      { name: 7 },
      { name: 'x'.repeat(200) },
      { name: 'x', readOnly: 'yes' },
      { name: 'x', paths: ['/../x'] },
      { name: 'x', paths: 'all' },
      { name: 'x', expiresInDays: 0 },
      { name: 'x', expiresInDays: 4000 },
      { name: 'x', expiresInDays: 'never' },
      [],
      'x',
      null,
    ]) {
      assert.equal((await call(ann, 'POST', 'tokens', body)).status, 400, JSON.stringify(body));
    }
    assert.equal((await call(ann, 'POST', 'tokens', { name: 'x', more: 'y'.repeat(20_000) })).status, 413);
    for (const path of ['', 'x', 'sessions/', 'sessions/a/b', 'tokens/unknown/'])
      assert.equal((await call(ann, 'GET', path)).status, 404, path);
    assert.equal((await call(ann, 'PUT', 'sessions')).status, 405);
    assert.equal((await call(ann, 'POST', 'sessions', {})).status, 405);
    assert.equal((await call(new Browser(service.port), 'GET', 'sessions')).status, 401);
  });

  test('who is in none of the allowed groups is known and refused, and stays logged in', async () => {
    const guest = await login('guest@example.com', ['guests']);
    const page = await guest.fetch(`${PUBLIC_ORIGIN}/`);
    assert.equal(page.status, 403);
    assert.match(page.body, /none of your groups/);
    assert.equal((await guest.fetch(`${PUBLIC_ORIGIN}/`, { headers: { 'sec-fetch-mode': 'cors' } })).status, 403);
    assert.equal((await guest.fetch(`${PUBLIC_ORIGIN}/authservice/verify/x`)).status, 403);
    assert.equal((await call(guest, 'GET', 'sessions')).status, 200);
    const member = await login('member@example.com', ['x', 'other people']);
    assert.equal((await member.fetch(`${PUBLIC_ORIGIN}/`)).status, 200);
    const none = await login('none@example.com', []);
    assert.equal((await none.fetch(`${PUBLIC_ORIGIN}/`)).status, 403);
  });
});
