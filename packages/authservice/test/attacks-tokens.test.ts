import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { after, before, beforeEach, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { exportPublicJwk, signJwt } from '@kfctl/oidc';
import { Browser } from './browser.ts';
import type { Visited } from './browser.ts';
import { CLIENT_SECRET, PUBLIC_ORIGIN, startService, untilReady } from './harness.ts';
import type { ServiceUnderTest } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';
import type { HostileProvider } from './hostile-provider.ts';

describe('tokens that a provider or somebody in its place may send', () => {
  const cleanUp: (() => unknown)[] = [];
  let provider: HostileProvider;
  let service: ServiceUnderTest;
  let honest: HostileProvider['answers'];

  before(async () => {
    const context = { after: (end: () => unknown) => void cleanUp.push(end) } as unknown as TestContext;
    provider = await startHostileProvider(context);
    honest = { ...provider.answers };
    service = await startService(context, { OIDC_PROVIDER: provider.issuer });
    await untilReady(service);
  });
  after(async () => {
    for (const end of cleanUp.toReversed()) await end();
  });
  beforeEach(() => {
    provider.answers = { ...honest, claims: {} };
  });

  async function assertRefused(status: number, more: Record<string, string> = {}): Promise<Visited> {
    const browser = new Browser(service.port);
    const answer = await loginAt(provider, browser, more);
    assert.equal(answer.status, status, answer.body);
    assert.equal(browser.cookie('authservice_session'), undefined);
    assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/page`)).status, 302);
    return answer;
  }
  const assertAccepted = async (): Promise<Visited> => {
    const browser = new Browser(service.port);
    const answer = await loginAt(provider, browser);
    assert.equal(answer.status, 302, answer.body);
    return await browser.fetch(`${PUBLIC_ORIGIN}/page`);
  };
  const b64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');

  test('the honest answer is accepted', async () => {
    assert.equal((await assertAccepted()).headers['kubeflow-userid'], 'eve@example.com');
  });

  test('claims of another login, client, issuer or time are refused', async () => {
    const nowSeconds = Date.now() / 1000;
    for (const claims of [
      { nonce: 'other' },
      { nonce: undefined },
      { nonce: 7 },
      { aud: 'other-client' },
      { aud: ['other-client'] },
      { aud: undefined },
      { aud: ['kubeflow-authservice-oidc', 'other'], azp: undefined },
      { aud: ['kubeflow-authservice-oidc', 'other'], azp: 'other' },
      { azp: 'other' },
      { iss: 'https://evil.example' },
      { iss: `${provider.issuer}/` },
      { exp: nowSeconds - 60 },
      { exp: undefined },
      { exp: '9999999999' },
      { nbf: nowSeconds + 600 },
      { sub: undefined },
      { sub: '' },
      { sub: 7 },
      { at_hash: 'AAAA' },
    ]) {
      provider.answers.claims = claims;
      await assertRefused(403);
    }
  });

  test('signatures of anybody else are refused', async () => {
    const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const publicPem = JSON.stringify(exportPublicJwk(provider.key, 'k1'));
    const forgeries: ((claims: Record<string, unknown>) => string)[] = [
      (claims) => signJwt(claims, { kid: 'k1', alg: 'ES256', key: foreign }),
      (claims) => signJwt(claims, { kid: 'k2', alg: 'ES256', key: foreign }),
      (claims) => `${b64({ alg: 'none' })}.${b64(claims)}.`,
      (claims) => `${b64({ alg: 'none', kid: 'k1' })}.${b64(claims)}.AA`,
      (claims) => {
        const input = `${b64({ alg: 'HS256', kid: 'k1' })}.${b64(claims)}`;
        return `${input}.${createHmac('sha256', publicPem).update(input).digest('base64url')}`;
      },
      (claims) => {
        const input = `${b64({ alg: 'HS256' })}.${b64(claims)}`;
        return `${input}.${createHmac('sha256', CLIENT_SECRET).update(input).digest('base64url')}`;
      },
      (claims) =>
        `${b64({ alg: 'ES256', jwk: exportPublicJwk(foreign, 'k1'), kid: 'k1' })}.${b64(claims)}.${signJwt(claims, { kid: 'k1', alg: 'ES256', key: foreign }).split('.')[2]}`,
      () => 'garbage',
      () => '..',
    ];
    for (const idToken of forgeries) {
      provider.answers.idToken = idToken;
      await assertRefused(403);
    }
  });

  test('made-up key ids do not make us ask the provider again and again', async () => {
    const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
    const asked = (): number => provider.requests.filter((path) => path === '/keys').length;
    const before = asked();
    for (let index = 0; index < 10; index += 1) {
      provider.answers.idToken = (claims) => signJwt(claims, { kid: `made-up-${index}`, alg: 'ES256', key: foreign });
      await assertRefused(403);
    }
    assert.ok(asked() - before <= 1, `${asked() - before} requests`);
  });

  test('userinfo completes the ID token and never overrides it', async () => {
    provider.answers.claims = { email: undefined };
    provider.answers.userinfo = () => ({ body: { sub: 'subject-1', email: 'ann@example.com', groups: ['a'] } });
    const completed = await assertAccepted();
    assert.equal(completed.headers['kubeflow-userid'], 'ann@example.com');
    assert.equal(completed.headers['kubeflow-groups'], 'a');
    provider.answers.claims = {};
    assert.equal((await assertAccepted()).headers['kubeflow-userid'], 'eve@example.com');
  });

  test('userinfo of another subject, or of none, ends the login', async () => {
    for (const body of [
      { sub: 'subject-2', email: 'root@example.com' },
      { email: 'root@example.com' },
      { sub: ['subject-1'] },
    ]) {
      provider.answers.userinfo = () => ({ body });
      await assertRefused(403);
    }
  });

  test('a broken userinfo ends the login only when the name is missing', async () => {
    provider.answers.userinfo = () => ({ status: 500, body: 'oops' });
    assert.equal((await assertAccepted()).status, 200);
    provider.answers.claims = { email: undefined };
    await assertRefused(502);
  });

  test('claims that are no usable name end the login', async () => {
    provider.answers.userinfo = () => ({ body: { sub: 'subject-1' } });
    for (const email of [
      undefined,
      null,
      '',
      7,
      true,
      ['a@example.com'],
      { a: 1 },
      'a\nb',
      'a\r\nkubeflow-groups: admins',
      ' a',
      'a\u0000',
      'x'.repeat(10_000),
      'a\u202e',
      'attacker@evil.example@example.com',
      '\ud800',
    ]) {
      provider.answers.claims = { email };
      await assertRefused(403);
    }
    for (const email_verified of [false, 'false', 0, null, 'maybe']) {
      provider.answers.claims = { email_verified };
      await assertRefused(403);
    }
  });

  test('names and groups arrive as they are, in one header each', async () => {
    provider.answers.claims = {
      email: 'é@example.com',
      email_verified: true,
      groups: ['a', 'b,admins', 7, null, '', ' c', 'd\n', ['e'], 'cn=x,ou=y', 'f g'],
    };
    const { headers } = await assertAccepted();
    assert.equal(Buffer.from(String(headers['kubeflow-userid']), 'latin1').toString('utf8'), 'é@example.com');
    assert.equal(headers['kubeflow-groups'], 'a,b%2Cadmins,cn=x%2Cou=y,f g');
    provider.answers.claims = { groups: 'only' };
    assert.equal((await assertAccepted()).headers['kubeflow-groups'], 'only');
    provider.answers.claims = { groups: { admins: true } };
    const none = await assertAccepted();
    assert.equal(none.headers['kubeflow-groups'], undefined);
    assert.match(String(none.headers['x-envoy-auth-headers-to-remove']), /(^|,)kubeflow-groups(,|$)/);
  });

  test('a huge list of groups stays within a header', async () => {
    const groups = Array.from({ length: 20_000 }, (_, index) => `group-${index}`);
    provider.answers.userinfo = () => ({ body: { sub: 'subject-1', groups } });
    const { status, headers } = await assertAccepted();
    assert.equal(status, 200);
    assert.ok(String(headers['kubeflow-groups']).length < 9_000);
  });

  test('broken answers of the token endpoint end the login', async () => {
    const answers: readonly (readonly [{ status?: number; body: unknown }, number])[] = [
      [{ body: {} }, 502],
      [{ body: 'no json' }, 502],
      [{ body: [] }, 502],
      [{ status: 500, body: {} }, 502],
      [{ status: 302, body: {} }, 502],
      [{ body: { id_token: 7 } }, 502],
      [{ body: 'x'.repeat(2_000_000) }, 502],
      [{ status: 400, body: { error: 'invalid_grant' } }, 400],
    ];
    for (const [answer, status] of answers) {
      provider.answers.token = () => answer;
      await assertRefused(status);
    }
  });

  test('the code goes with our secret, the redirect URI and the verifier of this flow', async () => {
    const seen: URLSearchParams[] = [];
    const { token } = honest;
    provider.answers.token = (request) => {
      seen.push(request.form);
      const [, encoded = ''] = request.authorization.split(' ');
      const [id = '', secret = ''] = Buffer.from(encoded, 'base64').toString().split(':');
      assert.equal(decodeURIComponent(id), 'kubeflow-authservice-oidc');
      assert.equal(decodeURIComponent(secret.replaceAll('+', ' ')), CLIENT_SECRET);
      return token(request);
    };
    await assertAccepted();
    assert.deepEqual([...(seen[0]?.keys() ?? [])].toSorted(), ['code', 'code_verifier', 'grant_type', 'redirect_uri']);
    assert.match(seen[0]?.get('code_verifier') ?? '', /^[\w-]{43}$/);
  });

  test('an answer of another issuer is refused', async () => {
    await assertRefused(400, { iss: 'https://evil.example' });
    const browser = new Browser(service.port);
    assert.equal((await loginAt(provider, browser, { iss: provider.issuer })).status, 302);
  });

  test('what the provider says is not rendered as a page of ours', async () => {
    const hostile = '<script>alert(1)</script>"\'&';
    for (const more of [
      { error: hostile, error_description: hostile },
      { error: 'access_denied', error_description: hostile },
    ]) {
      const answer = await assertRefused(more.error === 'access_denied' ? 403 : 400, more);
      assert.doesNotMatch(answer.body, /<script>|alert/);
      assert.match(String(answer.headers['content-security-policy']), /default-src 'none'/);
    }
  });

  test('nothing secret is logged', async () => {
    const browser = new Browser(service.port);
    await loginAt(provider, browser, { code: 'code-that-must-not-be-logged' });
    const logged = service.logged();
    assert.doesNotMatch(logged, /code-that-must-not-be-logged|a client secret|kkkkkkkk|eyJ/);
    assert.equal(logged.includes(browser.cookie('authservice_session') ?? '?'), false);
    const start = await browser.fetch(`${PUBLIC_ORIGIN}/page`, { headers: { cookie: '' } });
    const { searchParams } = new URL(start.headers.location ?? '');
    const [, secret = '?'] = /=([\w-]{22});/.exec(start.cookies[0] ?? '') ?? [];
    await browser.fetch(`${PUBLIC_ORIGIN}/login/oidc?error=server_error&state=${searchParams.get('state')}`);
    for (const value of [searchParams.get('state'), searchParams.get('nonce'), secret])
      assert.equal(service.logged().includes(value ?? '?'), false, String(value));
    assert.match(logged, /logged in/);
  });
});
