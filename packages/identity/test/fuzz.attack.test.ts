/**
 * Thousands of requests that are nearly right, at every endpoint: each refusal has the right form and one line in the log that says why,
 * nothing fails, and neither answers nor log hold a secret. `FUZZ_SEED` and `FUZZ_ROUNDS` choose others than the usual ones.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { nextRequest, seededDice } from './fuzz-requests.ts';
import type { Endpoint, FuzzRequest, LiveValues } from './fuzz-requests.ts';
import { authUrl, basic, HASH, locationOf, login, openLogin, startTestIdentity, USERS } from './test-identity.ts';
import type { TestIdentity } from './test-identity.ts';

const SEED = Number(process.env['FUZZ_SEED'] ?? 20_261_128);
const ROUNDS = Number(process.env['FUZZ_ROUNDS'] ?? 60);
const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const GRANTS = ['authorization_code', 'refresh_token', 'password', 'client_credentials', 'implicit', DEVICE, EXCHANGE];
const KIND = 'urn:ietf:params:oauth:token-type:';

const AUTHORIZE =
  'client_id redirect_uri response_type scope state nonce connector_id approval_prompt code_challenge code_challenge_method request prompt max_age id_token_hint login_hint'.split(
    ' ',
  );
const TOKEN =
  'grant_type code redirect_uri refresh_token client_id client_secret scope code_verifier username password device_code subject_token subject_token_type connector_id'.split(
    ' ',
  );

/** What a refusal looks like there: a page, JSON with `error`, `{"active":false}`, or plain text. */
type Form = 'page' | 'json' | 'inactive' | 'text';

interface Place extends Endpoint {
  readonly form: Form;
}

const PLACES: readonly Place[] = [
  { path: '/dex', parameters: ['state'], form: 'page' },
  { path: '/dex/.well-known/openid-configuration', parameters: ['state'], form: 'json' },
  { path: '/dex/keys', parameters: ['state'], form: 'json' },
  { path: '/dex/healthz', parameters: ['state'], form: 'page' },
  { path: '/dex/nowhere', parameters: ['state', 'code'], form: 'text' },
  { path: '/dex/auth', parameters: AUTHORIZE, form: 'page' },
  { path: '/dex/auth/local', parameters: AUTHORIZE, form: 'page' },
  { path: '/dex/auth/mock', parameters: AUTHORIZE, form: 'page' },
  { path: '/dex/auth/%00', parameters: AUTHORIZE, form: 'page' },
  { path: '/dex/auth/local/login', parameters: ['state', 'back', 'login', 'password'], form: 'page' },
  { path: '/dex/callback', parameters: ['state', 'code', 'error', 'error_description', 'RelayState'], form: 'page' },
  { path: '/dex/callback/mock', parameters: ['state', 'code', 'error'], form: 'page' },
  { path: '/dex/approval', parameters: ['req', 'hmac', 'approval'], form: 'page' },
  { path: '/dex/device', parameters: ['user_code'], form: 'page' },
  {
    path: '/dex/device/code',
    parameters: ['client_id', 'client_secret', 'scope', 'code_challenge', 'code_challenge_method'],
    form: 'json',
  },
  { path: '/dex/device/token', parameters: ['grant_type', 'device_code', 'code_verifier'], form: 'json' },
  { path: '/dex/device/auth/verify_code', parameters: ['user_code'], form: 'page' },
  { path: '/dex/device/callback', parameters: ['code', 'state', 'error'], form: 'page' },
  { path: '/dex/token', parameters: TOKEN, form: 'json' },
  { path: '/dex/token/introspect', parameters: ['token', 'token_type_hint'], form: 'inactive' },
  { path: '/dex/token/revoke', parameters: ['token', 'client_id', 'client_secret'], form: 'json' },
  { path: '/dex/userinfo', parameters: ['access_token'], form: 'json' },
  {
    path: '/dex/logout',
    parameters: ['id_token_hint', 'post_logout_redirect_uri', 'state', 'client_id'],
    form: 'page',
  },
  { path: '/dex/logout/callback', parameters: ['state'], form: 'page' },
];

/** Must be in no log line: what was typed or presented as a proof. The client's secret is in no answer either. */
const PASSWORD = 'canary-of-a-password';
const SECRET = 's3cret';

/** What a server is asked with, and what it is. */
interface Setting {
  readonly identity: TestIdentity;
  readonly live: LiveValues;
}

async function start(more: string): Promise<Setting> {
  const grants = GRANTS.map((grant) => `"${grant}"`).join(', ');
  const identity = await startTestIdentity({
    oauth2: `passwordConnector: local, responseTypes: [code, token, id_token], grantTypes: [${grants}]`,
    config: `${USERS}connectors: [{type: mockCallback, id: mock, name: Mock}]\n`,
    more,
  });
  return { identity, live: await makeLiveValues(identity) };
}

async function codeOf(identity: TestIdentity): Promise<readonly [code: string, cookie: string]> {
  const done = await login(identity);
  const { pathname, search, searchParams } = locationOf(done);
  const form = { req: searchParams.get('req') ?? '', approval: 'approve' };
  const answer = locationOf(await identity.post(pathname + search, form));
  const cookies = done.headers.getSetCookie().map((line) => line.split(';')[0]);
  return [answer.searchParams.get('code') ?? '', cookies.join('; ')];
}

async function makeLiveValues(identity: TestIdentity): Promise<LiveValues> {
  const [code, cookie] = await codeOf(identity);
  const page = new URL(await openLogin(identity), identity.origin);
  const away = locationOf(await identity.fetch(authUrl({}, '/dex/auth/mock')));
  const approval = locationOf(await login(identity));
  const scope = 'openid email offline_access';
  const grant = { grant_type: 'password', username: 'zoe@example.com', password: 'password', scope };
  const answer = await identity.post('/dex/token', grant, basic('app', SECRET));
  const tokens = (await answer.json()) as Record<string, string>;
  const device = await identity.post('/dex/device/code', { client_id: 'cli', scope: 'openid' });
  const codes = (await device.json()) as Record<string, string>;
  const some = (...values: (string | null | undefined)[]): readonly string[] =>
    values.filter((value) => typeof value === 'string');
  const jwts = some(tokens['access_token'], tokens['id_token']);
  return {
    client_id: ['app', 'cli', 'spa', 'tied', 'other'],
    client_secret: [SECRET],
    redirect_uri: ['/login/oidc', 'https://app.example.com/cb?x=1', 'http://localhost:1/', '/dex/device/callback'],
    response_type: ['code', 'code id_token', 'id_token', 'token', 'code id_token token'],
    scope: ['openid', 'openid email', 'openid offline_access groups', 'openid audience:server:client_id:other'],
    state: some(page.searchParams.get('state'), away.searchParams.get('state'), codes['user_code'], 'st&te'),
    back: ['/dex/auth?x=1'],
    nonce: ['n'],
    connector_id: ['local', 'mock'],
    approval_prompt: ['force'],
    code_challenge: ['v'.repeat(43)],
    code_challenge_method: ['S256', 'plain'],
    code_verifier: ['v'.repeat(43)],
    prompt: ['none', 'login', 'consent'],
    max_age: ['0', '60'],
    login_hint: ['zoe@example.com'],
    id_token_hint: jwts,
    login: ['zoe@example.com', 'admin@kubeflow.org'],
    username: ['zoe@example.com', 'nobody@example.com'],
    password: [PASSWORD, 'password'],
    grant_type: GRANTS,
    code: [code],
    refresh_token: some(tokens['refresh_token']),
    token: some(...jwts, tokens['refresh_token']),
    access_token: jwts,
    subject_token: jwts,
    subject_token_type: [`${KIND}id_token`, `${KIND}access_token`],
    device_code: some(codes['device_code']),
    user_code: some(codes['user_code']),
    req: some(approval.searchParams.get('req')),
    hmac: some(approval.searchParams.get('hmac')),
    approval: ['approve', 'rejected'],
    post_logout_redirect_uri: ['/bye'],
    ...(cookie === '' ? {} : { cookie: [cookie] }),
    authorization: [...jwts, Buffer.from(`app:${SECRET}`).toString('base64'), Buffer.from('app:x').toString('base64')],
  };
}

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly error?: string;
  readonly reason?: string;
}

function readLog(lines: readonly string[]): readonly LogLine[] {
  return lines.map((line) => {
    assert.equal(line.indexOf('\n'), line.length - 1, line);
    assert.ok(line.length < 4096, `a line of ${line.length} characters: ${line.slice(0, 300)}`);
    return JSON.parse(line) as LogLine;
  });
}

function judgeLog({ identity: { log: lines }, live }: Setting, refused: boolean): void {
  const records = readLog(lines).filter(({ level }) => level !== 'debug');
  for (const { level, msg } of records) assert.ok(level !== 'error' && msg !== 'forged');
  const text = lines.join('');
  for (const secret of [
    PASSWORD,
    SECRET,
    HASH,
    ...['code', 'refresh_token', 'token', 'device_code', 'hmac'].flatMap((name) => live[name] ?? []),
  ])
    assert.ok(!text.includes(secret), `a secret is in the log: ${text}`);
  if (!refused) return;
  assert.equal(records.length, 1, `lines for one refusal: ${text}`);
  const [{ error = '', reason = '' } = { error: '', reason: '' }] = records;
  assert.notEqual(error + reason, '', `no reason: ${text}`);
}

const PLAIN = /^(?:not found|method not allowed)\n$/;

function judgeForm({ form }: Place, response: Response, text: string): void {
  const type = response.headers.get('content-type') ?? '';
  if (form === 'text' || PLAIN.test(text)) return assert.match(type, /^text\/plain/);
  if (form === 'page') {
    assert.match(type, /^text\/html/);
    return assert.match(text, /^<!doctype html>[^]*<\/html>\s*$/i);
  }
  assert.match(type, /^application\/json/);
  const body = JSON.parse(text) as { error?: string; active?: boolean };
  if (form !== 'inactive' || body.active === undefined) assert.match(body.error ?? '', /^[a-z_]+$/);
}

async function judge(place: Place, { method }: FuzzRequest, response: Response): Promise<boolean> {
  const text = await response.text();
  const location = response.headers.get('location') ?? '';
  assert.ok(response.status < 500, `${response.status} ${text.slice(0, 300)}`);
  for (const line of response.headers.getSetCookie()) assert.match(line, /^dex_\w+=[\w.-]*; Path=\/dex.*; HttpOnly/);
  assert.equal(response.headers.get('x-content-type-options'), 'nosniff');
  assert.doesNotMatch(location, /^(?:https?:)?\/\/(?:[^/]*\.)?evil|^\/\\|^javascript:|[\r\n]/i);
  assert.doesNotMatch(text, /<script>alert|at \S+ \(file:|node:internal|SQLITE|\.ts:\d+/);
  for (const secret of [PASSWORD, SECRET, HASH])
    assert.ok(!(text + location).includes(secret), 'a secret is in the answer');
  const isError = response.status >= 400;
  if (isError && method !== 'HEAD') judgeForm(place, response, text);
  return isError || /[?&#]error=/.test(location);
}

/** Lines of the file: without login sessions there is no cookie at all. */
const SETTINGS: Readonly<Record<string, string>> = { 'without sessions': '', 'with sessions': 'sessions: {}\n' };

for (const [name, more] of Object.entries(SETTINGS)) {
  describe(`${ROUNDS} nearly right requests ${name} (FUZZ_SEED=${SEED})`, () => {
    let setting: Setting;
    before(async () => {
      setting = await start(more);
    });
    after(() => setting.identity.stop());

    for (const [index, place] of PLACES.entries()) {
      test(`${place.path} refuses in form, tells the log why and nobody a secret`, async () => {
        const { identity, live } = setting;
        const dice = seededDice(SEED + index * 7919);
        let refusals = 0;
        for (let round = 0; round < ROUNDS; round += 1) {
          const request = nextRequest(dice, place, live);
          const { target, method, headers, body } = request;
          identity.log.length = 0;
          // Guesses would have to wait for one another.
          identity.now += 1_000;
          try {
            const response = await identity.fetch(target, { method, headers, ...(body === undefined ? {} : { body }) });
            const refused = await judge(place, request, response);
            judgeLog(setting, refused);
            if (more === '') assert.equal(response.headers.get('set-cookie'), null);
            if (refused) refusals += 1;
          } catch (cause) {
            const sent = `${method} ${target.slice(0, 500)} ${JSON.stringify(headers)} ${body?.slice(0, 500) ?? ''}`;
            throw new Error(`round ${round}: ${sent}`, { cause });
          }
        }
        assert.ok(refusals > 0, 'nothing was refused');
      });
    }

    test('afterwards everything works', async () => {
      const { identity } = setting;
      identity.now += 900_000;
      assert.equal((await login(identity)).status, 303);
      assert.equal((await identity.fetch('/dex/keys')).status, 200);
    });
  });
}
