/** What no endpoint may do whatever it is sent: fail, leak, set a header of the sender's making, leave the origin, forge a log line, or stop. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { authUrl, basic, loginForTokens, openLogin, startTestIdentity, USERS } from './test-identity.ts';
import type { TestIdentity } from './test-identity.ts';

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const GRANTS = `authorization_code, refresh_token, password, client_credentials, implicit, "${DEVICE}", "${EXCHANGE}"`;

let identity: TestIdentity;
before(async () => {
  identity = await startTestIdentity({
    oauth2: `passwordConnector: local, responseTypes: [code, token, id_token], grantTypes: [${GRANTS}]`,
    config: `${USERS}connectors: [{type: mockCallback, id: mock, name: Mock}]\n`,
  });
});
after(() => identity.stop());

/** Endpoints and the parameters that they read. */
const ENDPOINTS: readonly (readonly [string, readonly string[]])[] = [
  ['/dex', []],
  ['/dex/.well-known/openid-configuration', []],
  ['/dex/keys', []],
  ['/dex/healthz', []],
  ['/dex/auth', ['client_id', 'redirect_uri', 'scope', 'state', 'response_type', 'connector_id', 'nonce']],
  ['/dex/auth/local', ['client_id', 'redirect_uri', 'scope', 'state', 'response_type', 'code_challenge', 'prompt']],
  ['/dex/auth/local/login', ['state', 'back', 'login', 'password']],
  ['/dex/callback', ['state', 'code', 'error', 'error_description', 'RelayState', 'SAMLResponse']],
  ['/dex/callback/mock', ['state', 'code', 'error']],
  ['/dex/approval', ['req', 'hmac', 'approval']],
  ['/dex/device', ['user_code']],
  ['/dex/device/code', ['client_id', 'client_secret', 'scope', 'code_challenge']],
  ['/dex/device/auth/verify_code', ['user_code']],
  ['/dex/device/callback', ['code', 'state', 'error']],
  ['/dex/token', ['grant_type', 'code', 'redirect_uri', 'refresh_token', 'client_id', 'client_secret', 'scope']],
  ['/dex/token/introspect', ['token', 'token_type_hint', 'client_id', 'client_secret']],
  ['/dex/token/revoke', ['token', 'token_type_hint', 'client_id', 'client_secret']],
  ['/dex/userinfo', ['access_token']],
  ['/dex/logout', ['id_token_hint', 'post_logout_redirect_uri', 'state', 'client_id']],
];

const HOSTILE: readonly (readonly [string, string])[] = [
  ['a header', 'x\r\nSet-Cookie: stolen=1\r\nLocation: https://evil.example\r\n\r\n'],
  ['a log line', 'x\n{"level":"error","msg":"forged"}\n'],
  ['markup', '"><script>alert(1)</script>'],
  ['another place', '//evil.example/\\evil.example'],
  ['a script address', 'javascript:alert(1)'],
  ['nothing', ''],
  ['a zero byte', 'a\0b'],
  ['half a character', '\ud800'],
  ['direction marks', '\u202Emoc.live\u2066'],
  ['a name of JavaScript', '__proto__'],
  ['SQL', "' OR 1=1; DROP TABLE record; --"],
  ['a filter', '*)(objectClass=*'],
  ['a path', '../../../../etc/passwd'],
  ['much', 'A'.repeat(9000)],
];

async function judge(response: Response, what: string): Promise<void> {
  const text = await response.text();
  assert.ok(response.status < 500, `${what}: ${response.status} ${text.slice(0, 200)}`);
  assert.equal(response.headers.get('set-cookie'), null, what);
  assert.doesNotMatch(text, /<script>alert|at \S+ \(file:|node:internal|SQLITE|\.ts:\d+/, what);
  const location = response.headers.get('location') ?? '';
  assert.doesNotMatch(location, /^(?:https?:)?\/\/(?:[^/]*\.)?evil|^\/\\|^javascript:|[\r\n]/i, what);
}

describe('every endpoint', () => {
  for (const [path, names] of ENDPOINTS) {
    test(`${path} takes hostile values as text`, async () => {
      for (const [kind, value] of HOSTILE) {
        const form = Object.fromEntries(names.map((name) => [name, value]));
        const query = new URLSearchParams(form).toString();
        const headers = {
          authorization: `Bearer ${encodeURIComponent(value.toWellFormed()).slice(0, 5000)}`,
          'x-forwarded-for': encodeURIComponent(value.toWellFormed()).slice(0, 500),
        };
        if (query.length < 12_000)
          await judge(await identity.fetch(`${path}?${query}`, { headers }), `GET ${path} ${kind}`);
        await judge(await identity.post(path, form), `POST ${path} ${kind}`);
        await judge(
          await identity.post(
            path,
            form,
            basic(value.toWellFormed().slice(0, 100), value.toWellFormed().slice(0, 100)),
          ),
          `POST ${path} ${kind}, Basic`,
        );
      }
    });

    test(`${path} refuses what is too large, broken or doubled`, async () => {
      const big = await identity.fetch(path, {
        method: 'POST',
        body: new URLSearchParams({ pad: 'x'.repeat(70_000) }),
      });
      await judge(big, `${path} large`);
      assert.ok(big.status >= 400 || big.status === 303, `${path} ${big.status}`);
      for (const body of [
        '%ZZ=%',
        'state=%ED%A0%80&token=%ff%fe',
        '=&&&=',
        '\u{1F600}',
        '{"a":1}',
        'a'.repeat(60_000),
      ]) {
        const headers = { 'content-type': 'application/x-www-form-urlencoded' };
        await judge(await identity.fetch(path, { method: 'POST', body, headers }), `${path} ${body.slice(0, 10)}`);
      }
      await judge(await identity.fetch(`${path}?%ZZ&state=a&state=b`), `${path} doubled`);
      for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
        await judge(await identity.fetch(path, { method }), `${method} ${path}`);
      }
    });
  }

  test('the same inside a request that is otherwise good', async () => {
    for (const [kind, value] of HOSTILE) {
      for (const name of ['state', 'nonce', 'scope', 'prompt', 'login_hint', 'connector_id', 'response_type']) {
        const target = authUrl({ [name]: value });
        if (target.length < 14_000) await judge(await identity.fetch(target), `${name} ${kind}`);
      }
      const page = await openLogin(identity);
      await judge(await identity.post(page, { login: value, password: value }), `login ${kind}`);
    }
  });

  test('no log line was forged, none is an error, none shows a secret', () => {
    for (const line of identity.log) {
      assert.equal(line.indexOf('\n'), line.length - 1, line);
      const record = JSON.parse(line) as Record<string, unknown>;
      assert.notEqual(record['level'], 'error', line);
      assert.notEqual(record['msg'], 'forged', line);
      assert.doesNotMatch(line, /s3cret/);
    }
  });

  test('heads that are too large or no HTTP end in an answer, and the server goes on', async () => {
    const { port } = new URL(identity.origin);
    for (const head of [
      `GET /dex/keys HTTP/1.1\r\nHost: x\r\nX-Pad: ${'x'.repeat(40_000)}\r\n\r\n`,
      `GET /dex/keys HTTP/1.1\r\nHost: x\r\n${Array.from({ length: 3000 }, (_, at) => `X-${at}: y`).join('\r\n')}\r\n\r\n`,
      'POST /dex/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'POST /dex/token HTTP/1.1\r\nHost: x\r\nContent-Length: 5, 6\r\n\r\nhello',
      'GARBAGE\r\n\r\n',
    ]) {
      const before = identity.log.length;
      const answer = await new Promise<string>((resolve) => {
        let text = '';
        const socket = connect(Number(port), '127.0.0.1', () => socket.write(head));
        socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
        socket.on('close', () => resolve(text));
        socket.on('error', () => undefined);
      });
      const [, status] = /^HTTP\/1\.1 (400|431)/.exec(answer) ?? [];
      assert.ok(status !== undefined, head.slice(0, 60));
      const [line = '', ...more] = identity.log.slice(before);
      assert.match(line, new RegExp(`"msg":"request refused","status":${status},"from":"127\\.0\\.0\\.1","reason":"`));
      assert.deepEqual(more, []);
    }
    assert.equal((await identity.fetch('/dex/keys')).status, 200);
  });
});

describe('50 at once', () => {
  test('of polls for a device that was approved one gets the tokens', async (t) => {
    const own = await startTestIdentity();
    t.after(() => own.stop());
    const asked = await own.post('/dex/device/code', { client_id: 'cli', scope: 'openid' });
    const codes = (await asked.json()) as { device_code: string; user_code: string };
    const verified = await own.post('/dex/device/auth/verify_code', { user_code: codes.user_code });
    const choice = new URL(verified.headers.get('location') ?? '', own.origin);
    choice.pathname = '/dex/auth/local';
    const begun = await own.fetch(choice.pathname + choice.search);
    const form = { login: 'zoe@example.com', password: 'password' };
    const approval = (await own.post(begun.headers.get('location') ?? '', form)).headers.get('location') ?? '';
    const req = new URL(approval, own.origin).searchParams.get('req') ?? '';
    const done = await own.post(approval, { req, approval: 'approve' });
    assert.equal((await own.fetch(done.headers.get('location') ?? '')).status, 200);
    const poll = async (): Promise<number> => {
      const response = await own.post('/dex/token', {
        grant_type: DEVICE,
        device_code: codes.device_code,
        client_id: 'cli',
      });
      await response.arrayBuffer();
      return response.status;
    };
    const statuses = await Promise.all(Array.from({ length: 50 }, poll));
    assert.equal(statuses.filter((status) => status === 200).length, 1);
    assert.ok(statuses.every((status) => status === 200 || status === 400));
  });

  test('refreshes beside a revocation: nothing fails, and afterwards nothing is left to use', async (t) => {
    const own = await startTestIdentity();
    t.after(() => own.stop());
    const { refresh_token: token = '' } = await loginForTokens(own, { scope: 'openid offline_access' });
    const client = basic('app', 's3cret');
    const refreshed: string[] = [];
    const refresh = async (presented: string): Promise<number> => {
      const response = await own.post('/dex/token', { grant_type: 'refresh_token', refresh_token: presented }, client);
      const body = (await response.json()) as { refresh_token?: string };
      if (body.refresh_token !== undefined) refreshed.push(body.refresh_token);
      return response.status;
    };
    const revoke = async (presented: string): Promise<number> =>
      (await own.post('/dex/token/revoke', { token: presented }, client)).status;
    const asks = Array.from({ length: 50 }, (_, at) => (at === 10 ? revoke(token) : refresh(token)));
    assert.deepEqual(
      [...new Set(await Promise.all(asks))].filter((status) => status !== 200 && status !== 400),
      [],
    );
    assert.ok(refreshed.length <= 1);
    for (const successor of refreshed) await revoke(successor);
    for (const presented of [token, ...refreshed]) assert.equal(await refresh(presented), 400);
  });
});
