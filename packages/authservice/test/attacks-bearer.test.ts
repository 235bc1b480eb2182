import assert from 'node:assert/strict';
import { createHmac, generateKeyPairSync } from 'node:crypto';
import { after, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { exportPublicJwk, signJwt } from '@kfctl/oidc';
import { Browser } from './browser.ts';
import { CLIENT_ID, CLIENT_SECRET, send, startService, untilReady } from './harness.ts';
import type { RawResponse, ServiceUnderTest } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';
import type { HostileProvider } from './hostile-provider.ts';

type Headers = Readonly<Record<string, string | string[]>>;

describe('what strangers show at the check', () => {
  const cleanUp: (() => unknown)[] = [];
  let service: ServiceUnderTest;
  let provider: HostileProvider;
  let session = '';

  before(async () => {
    const context = { after: (end: () => unknown) => void cleanUp.push(end) } as unknown as TestContext;
    provider = await startHostileProvider(context);
    service = await startService(context, { OIDC_PROVIDER: provider.issuer, SKIP_AUTH_URI: '/dex' });
    await untilReady(service);
    const browser = new Browser(service.port);
    await loginAt(provider, browser);
    session = browser.cookie('authservice_session') ?? '';
  });
  after(async () => {
    for (const end of cleanUp.toReversed()) await end();
  });

  const ask = (headers: Headers, path = '/pipeline/'): Promise<RawResponse> =>
    send({ port: service.port, path, headers });
  const bearer = (token: string): Promise<RawResponse> => ask({ authorization: `Bearer ${token}` });
  const claims = (more: Record<string, unknown> = {}): Record<string, unknown> => {
    const now = Math.floor(Date.now() / 1000);
    const times = { iat: now, exp: now + 60 };
    return { iss: provider.issuer, aud: CLIENT_ID, sub: 's', email: 'eve@example.com', ...times, ...more };
  };
  const b64 = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  const hmac = (header: object, key: string): string => {
    const input = `${b64(header)}.${b64(claims())}`;
    return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
  };

  test('a signed token passes for nobody else, nowhere else, at no other time, and by no other algorithm', async () => {
    const signed = (more: Record<string, unknown>): string => provider.answers.idToken(claims(more));
    assert.equal((await bearer(signed({}))).headers['kubeflow-userid'], 'eve@example.com');
    const now = Math.floor(Date.now() / 1000);
    const publicKey = JSON.stringify(exportPublicJwk(provider.key, 'k1'));
    const pem = provider.key.export({ type: 'pkcs8', format: 'pem' }).toString();
    const [head = '', body = '', signature = ''] = signed({}).split('.');
    const refused: Record<string, string> = {
      'of another client': signed({ aud: 'other-client' }),
      'for nobody': signed({ aud: [] }),
      'of another issuer': signed({ iss: 'https://evil.example' }),
      'of this issuer, nearly': signed({ iss: `${provider.issuer}/` }),
      expired: signed({ exp: now - 1 }),
      'without an end': signed({ exp: undefined }),
      'not valid yet': signed({ nbf: now + 600 }),
      unverified: signed({ email_verified: false }),
      'a logout token': signed({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } }),
      'bound to a key': signed({ cnf: { jkt: 'x' } }),
      'by a stranger': signJwt(claims(), { kid: 'k1', alg: 'ES256', key: foreign }),
      'alg none': `${b64({ alg: 'none' })}.${b64(claims())}.`,
      'alg None': `${b64({ alg: 'None', kid: 'k1' })}.${b64(claims())}.AA`,
      'HMAC with the public key': hmac({ alg: 'HS256', kid: 'k1' }, publicKey),
      'HMAC with our secret': hmac({ alg: 'HS256' }, CLIENT_SECRET),
      'HMAC with a PEM': hmac({ alg: 'HS256', kid: 'k1' }, pem),
      'a key of its own': `${b64({ alg: 'ES256', kid: 'k1', jwk: exportPublicJwk(foreign, 'k1') })}.${body}.${signature}`,
      'other claims': `${head}.${b64(claims({ email: 'root@example.com' }))}.${signature}`,
      'no signature': `${head}.${body}.`,
      'an extension': `${b64({ alg: 'ES256', kid: 'k1', crit: ['x'], x: 1 })}.${body}.${signature}`,
    };
    for (const [name, token] of Object.entries(refused)) {
      const { status, headers } = await bearer(token);
      assert.equal(status, 401, name);
      assert.equal(headers['kubeflow-userid'], undefined);
    }
  });

  test('made-up key ids at the check do not make us ask the provider again and again', async () => {
    const asked = (): number => provider.requests.filter((path) => path === '/keys').length;
    const before = asked();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) =>
        bearer(signJwt(claims(), { kid: `made-up-${index}`, alg: 'ES256', key: foreign })),
      ),
    );
    assert.deepEqual([...new Set(answers.map(({ status }) => status))], [401]);
    assert.ok(asked() - before <= 1, `${asked() - before} requests`);
  });

  test('what a client says of its identity is set over or taken away, however it is spelled', async () => {
    const forgeries: readonly Headers[] = [
      { 'kubeflow-userid': 'root@example.com', 'kubeflow-groups': 'admins', 'kubeflow-assertion': 'v1.1.x' },
      { 'KUBEFLOW-USERID': 'root@example.com', 'Kubeflow-Groups': 'admins' },
      { kubeflow_userid: 'root@example.com', Kubeflow_Groups: 'admins', KUBEFLOW_ASSERTION: 'x' },
      { 'kubeflow-userid': ['eve@example.com', 'root@example.com'] },
      { 'kubeflow-userid': 'eve@example.com, root@example.com' },
      { connection: 'keep-alive, kubeflow-userid, kubeflow-groups', 'kubeflow-userid': 'root@example.com' },
      { 'x-envoy-auth-headers-to-remove': 'x', 'kubeflow-userid': 'root@example.com' },
    ];
    const cookie = { cookie: `authservice_session=${session}` };
    const places: readonly (readonly [string, Headers, string | undefined])[] = [
      ['/pipeline/', cookie, 'eve@example.com'],
      ['/pipeline/', { 'x-auth-token': session }, 'eve@example.com'],
      ['/authservice/verify/pipeline/', cookie, 'eve@example.com'],
      ['/dex/auth', cookie, undefined],
      ['/dex/auth', {}, undefined],
      ['/authservice/verify/dex/auth', {}, undefined],
    ];
    for (const [path, credentials, userId] of places)
      for (const forged of forgeries) {
        const { status, headers } = await ask({ ...forged, ...credentials }, path);
        assert.ok(status === 200 || status === 204, `${path} ${status}`);
        assert.equal(headers['kubeflow-userid'], userId);
        const removed = String(headers['x-envoy-auth-headers-to-remove']).split(',');
        for (const name of ['kubeflow-userid', 'kubeflow-groups', 'kubeflow-assertion']) {
          assert.ok(removed.includes(name) !== (headers[name] !== undefined), `${path} ${name}`);
          assert.ok(removed.includes(name.replace('-', '_')), `${path} ${name}`);
        }
      }
  });

  test('a cookie that is quoted, escaped, cut or beside another is a session only where it is exactly one', async () => {
    const status = async (cookie: string): Promise<number> => (await ask({ cookie })).status;
    const own = `authservice_session=${session}`;
    for (const cookie of [
      own,
      ` ${own} `,
      `a=b;${own}`,
      `a="x; y"; ${own}`,
      `a==; ${own}; b`,
      `; ;${own};`,
      `${own}; authservice_session=`,
      `authservice_session="; ${own}`,
      `authservice_session=%00; ${own}`,
      `authservice_session_=x; ${own}`,
    ])
      assert.equal(await status(cookie), 200, cookie);
    for (const cookie of [
      `authservice_session="${session}"`,
      `authservice_session=${session}%20`,
      `authservice_session=${encodeURIComponent(session)}%`,
      `authservice_session==${session}`,
      `authservice_session ${session}`,
      `Authservice_Session=${session}`,
      `authservice_session\t=${session}`,
      `authservice_session=${session},authservice_session=${session}`,
      `x="authservice_session=${session}"`,
      `authservice_session=${session.slice(0, 30)} ${session.slice(30)}`,
    ])
      assert.equal(await status(cookie), 302, cookie);
  });
});
