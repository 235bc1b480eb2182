/** Owns the rows about the device flow: asking, the pages, and polling. */
import assert from 'node:assert/strict';
import { authUrl, basic, claimsOf, ISSUER, locationOf, loginForCode } from '../test-identity.ts';
import type { TestIdentity, Tokens } from '../test-identity.ts';
import { expectJsonError, expectPage } from './expectations.ts';
import type { Row, Section } from './row.ts';

const { hash } = process.getBuiltinModule('node:crypto');

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const VERIFIER = 'v'.repeat(64);

interface Codes {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
  readonly verification_uri_complete: string;
  readonly expires_in: number;
  readonly interval: number;
}

function askFor(identity: TestIdentity, form: Record<string, string> = {}): Promise<Response> {
  return identity.post('/dex/device/code', { client_id: 'cli', scope: 'openid email', ...form });
}

async function codesOf(identity: TestIdentity, form: Record<string, string> = {}): Promise<Codes> {
  const response = await askFor(identity, form);
  assert.equal(response.status, 200);
  return (await response.json()) as Codes;
}

function poll(identity: TestIdentity, device_code: string, more: Record<string, string> = {}): Promise<Response> {
  return identity.post('/dex/token', { grant_type: DEVICE, device_code, ...more });
}

const verify = (identity: TestIdentity, user_code: string): Promise<Response> =>
  identity.post('/dex/device/auth/verify_code', { user_code });

/** From the user code over login and approval to the redirect to the device callback. */
async function walk(identity: TestIdentity, userCode: string): Promise<string> {
  const chosen = await identity.fetch((await verify(identity, userCode)).headers.get('location') ?? '');
  const page = await identity.fetch(chosen.headers.get('location') ?? '');
  const form = { login: 'zoe@example.com', password: 'password' };
  const approval = (await identity.post(page.headers.get('location') ?? '', form)).headers.get('location') ?? '';
  const req = new URL(approval, 'http://x').searchParams.get('req') ?? '';
  return (await identity.post(approval, { req, approval: 'approve' })).headers.get('location') ?? '';
}

const ASKING: readonly Row[] = [
  {
    id: 'codes',
    fact: 'POST /device/code answers 200 with device_code, user_code, both addresses, expires_in 300 and interval 5, not to be kept.',
    stand: 'kept',
    proof: async (servers) => {
      const response = await askFor(await servers.at());
      assert.equal(response.status, 200);
      assert.match(response.headers.get('cache-control') ?? '', /no-store/);
      const codes = (await response.json()) as Codes;
      assert.equal(codes.expires_in, 300);
      assert.equal(codes.interval, 5);
      assert.equal(codes.verification_uri, `${ISSUER}/device`);
      assert.equal(codes.verification_uri_complete, `${ISSUER}/device?user_code=${codes.user_code}`);
      assert.ok(codes.device_code.length >= 26);
    },
  },
  {
    id: 'user-code',
    fact: 'A user code is XXXX-XXXX of the letters BCDFGHJKLMNPQRSTVWXZ, no two alike.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const codes = await Promise.all(Array.from({ length: 20 }, async () => (await codesOf(identity)).user_code));
      for (const code of codes) assert.match(code, /^[BCDFGHJKLMNPQRSTVWXZ]{4}-[BCDFGHJKLMNPQRSTVWXZ]{4}$/);
      assert.equal(new Set(codes).size, 20);
    },
  },
  {
    id: 'lifetime',
    fact: 'expiry.deviceRequests is the lifetime that is told.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at({ more: 'expiry: {deviceRequests: 10m}\n' });
      assert.equal((await codesOf(identity)).expires_in, 600);
    },
  },
  {
    id: 'scope-default',
    fact: 'Without scope it is openid.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const response = await identity.post('/dex/device/code', { client_id: 'cli' });
      const { user_code } = (await response.json()) as Codes;
      const location = locationOf(await verify(identity, user_code));
      assert.equal(location.searchParams.get('scope'), 'openid');
    },
  },
  {
    id: 'methods',
    fact: 'Anything but POST is 400.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      for (const method of ['GET', 'PUT'])
        await expectJsonError(await identity.fetch('/dex/device/code', { method }), 400, 'invalid_request');
    },
  },
  {
    id: 'client',
    fact: 'At /device/code a client that is not there, or does not prove itself, is 401 invalid_client at once.',
    stand: 'safer',
    dex: 'Looks at the client at the very end: a wrong secret is found when the person has logged in.',
    why: 'Strangers fill no storage, and the person is not sent round for nothing.',
    proof: async (servers) => {
      const identity = await servers.at();
      for (const form of [{ client_id: 'nobody' }, { client_id: 'app' }, { client_id: 'app', client_secret: 'x' }])
        await expectJsonError(await askFor(identity, form as Record<string, string>), 401, 'invalid_client');
      assert.equal((await askFor(identity, { client_id: 'app', client_secret: 's3cret' })).status, 200);
      const header = await identity.post('/dex/device/code', { scope: 'openid' }, basic('app', 's3cret'));
      assert.equal(header.status, 200);
    },
  },
  {
    id: 'scopes',
    fact: 'At /device/code scopes that the client may not have are 400 at once.',
    stand: 'safer',
    dex: 'Finds them when the person enters the code.',
    why: 'The one who can mend it is the one who asks.',
    proof: async (servers) => {
      for (const scope of ['openid x', 'email', 'openid audience:server:client_id:spa'])
        await expectJsonError(await askFor(await servers.at(), { scope }), 400, 'invalid_request', /scope\(s\)/);
    },
  },
  {
    id: 'pkce-method',
    fact: 'A code_challenge_method other than S256 and plain is 400 invalid_request.',
    stand: 'kept',
    proof: async (servers) => {
      const form = { code_challenge: VERIFIER, code_challenge_method: 'S512' };
      await expectJsonError(await askFor(await servers.at(), form), 400, 'invalid_request', /PKCE/);
    },
  },
];

const PAGES: readonly Row[] = [
  {
    id: 'page',
    fact: 'GET /device is a form by POST to /device/auth/verify_code, its field filled in from user_code.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const empty = await expectPage(
        await identity.fetch('/dex/device'),
        200,
        /action="\/dex\/device\/auth\/verify_code"/,
      );
      assert.match(empty, /name="user_code" value=""/);
      const filled = await (await identity.fetch('/dex/device?user_code=BCDF-GHJK')).text();
      assert.match(filled, /name="user_code" value="BCDF-GHJK"/);
      assert.doesNotMatch(await (await identity.fetch('/dex/device?user_code="><script>')).text(), /<script/);
    },
  },
  {
    id: 'verify',
    fact: 'A good code leads by 302 to /auth with client_id, redirect_uri (the device callback), response_type code, scope, and the code as state.',
    stand: 'kept',
    dex: '2.45 sends redirect_uri without the issuer’s path; later versions as here.',
    follows: 'head',
    proof: async (servers) => {
      const identity = await servers.at();
      const { user_code } = await codesOf(identity);
      const response = await verify(identity, user_code);
      assert.equal(response.status, 302);
      const { pathname, searchParams } = locationOf(response);
      assert.equal(pathname, '/dex/auth');
      assert.deepEqual(Object.fromEntries(searchParams), {
        client_id: 'cli',
        redirect_uri: '/dex/device/callback',
        response_type: 'code',
        scope: 'openid email',
        state: user_code,
      });
    },
  },
  {
    id: 'verify-no-secret',
    fact: 'The client’s secret is in no address.',
    stand: 'kept',
    dex: '2.45 puts it into this one; later versions do not.',
    follows: 'head',
    proof: async (servers) => {
      const identity = await servers.at();
      const { user_code } = await codesOf(identity, { client_id: 'app', client_secret: 's3cret' });
      const location = (await verify(identity, user_code)).headers.get('location') ?? '';
      assert.match(location, /client_id=app/);
      assert.doesNotMatch(location, /s3cret|secret/);
      assert.doesNotMatch(identity.log.join(''), /s3cret/);
    },
  },
  {
    id: 'verify-case',
    fact: 'A code may be typed in small letters, with spaces, and without the dash.',
    stand: 'more',
    dex: 'Takes small letters.',
    why: 'People type it on phones.',
    proof: async (servers) => {
      const identity = await servers.at();
      const { user_code } = await codesOf(identity);
      for (const typed of [user_code.toLowerCase(), user_code.replace('-', ''), ` ${user_code.replace('-', ' - ')} `])
        assert.equal((await verify(identity, typed)).status, 302, typed);
    },
  },
  {
    id: 'verify-bad',
    fact: 'An unknown, expired or missing code is the page again with 400 and "Invalid or Expired User Code".',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.fresh();
      const { user_code } = await codesOf(identity);
      for (const typed of ['BCDF-GHJK', '', 'x', '<script>'])
        await expectPage(await verify(identity, typed), 400, /Invalid or Expired User Code/);
      identity.now += 300_001;
      await expectPage(await verify(identity, user_code), 400, /Invalid or Expired User Code/);
    },
  },
  {
    id: 'verify-throttled',
    fact: 'Who guesses user codes of devices has to wait: 429.',
    stand: 'safer',
    dex: 'Lets anybody guess.',
    why: 'RFC 8628 §5.1; codes are short.',
    proof: async (servers) => {
      const identity = await servers.fresh();
      let status = 400;
      for (let guess = 0; guess < 30 && status === 400; guess += 1)
        status = (await verify(identity, 'ZZZZ-ZZZZ')).status;
      assert.equal(status, 429);
    },
  },
  {
    id: 'done',
    fact: 'After the login the page says "Login Successful for <client name>".',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const back = await walk(identity, (await codesOf(identity)).user_code);
      assert.match(back, /^\/dex\/device\/callback\?code=[\w-]+&state=/);
      await expectPage(await identity.fetch(back), 200, /login successful for CLI/i);
    },
  },
  {
    id: 'callback-bad',
    fact: 'The device callback without code or state, with an unknown one, or with an upstream’s error, is a page with 400.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const { user_code } = await codesOf(identity);
      const queries = ['', '?code=x', `?state=${user_code}`, '?code=x&state=nope', `?code=x&state=${user_code}`];
      for (const query of [...queries, `?error=access_denied&state=${user_code}`])
        await expectPage(await identity.fetch(`/dex/device/callback${query}`), 400, /<h1>Bad Request<\/h1>/);
    },
  },
  {
    id: 'callback-expired',
    fact: 'The device callback for a request or a code whose time is over is a page with 400.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.fresh();
      const { user_code, device_code } = await codesOf(identity);
      const back = await walk(identity, user_code);
      identity.now += 300_001;
      await expectPage(await identity.fetch(back), 400, /Invalid or expired/);
      await expectJsonError(await poll(identity, device_code), 400, 'expired_token');
      const patient = await servers.fresh({ more: 'expiry: {deviceRequests: 2h}\n' });
      const late = await walk(patient, (await codesOf(patient)).user_code);
      patient.now += 30 * 60_000;
      await expectPage(await patient.fetch(late), 400, /Invalid or expired auth code/);
    },
  },
  {
    id: 'callback-bound',
    fact: 'A code of another client, or for another place, never becomes the tokens of a device.',
    stand: 'kept',
    dex: '2.45 takes it; later versions do not, since their advisory.',
    follows: 'head',
    proof: async (servers) => {
      const identity = await servers.at();
      const { user_code, device_code } = await codesOf(identity);
      const ofApp = await loginForCode(identity);
      const other = await codesOf(identity, { client_id: 'app', client_secret: 's3cret' });
      const ofOtherDevice = new URL(await walk(identity, other.user_code), 'http://x').searchParams.get('code') ?? '';
      for (const code of [ofApp, ofOtherDevice]) {
        const query = new URLSearchParams({ code, state: user_code });
        await expectPage(
          await identity.fetch(`/dex/device/callback?${query.toString()}`),
          400,
          /Invalid or expired auth code/,
        );
      }
      await expectJsonError(await poll(identity, device_code), 400, 'authorization_pending');
    },
  },
  {
    id: 'callback-redirect',
    fact: 'A redirect_uri that a link smuggles in is judged like any other.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const { user_code } = await codesOf(identity);
      const spoofed = { client_id: 'cli', redirect_uri: 'https://evil.example/', state: user_code };
      await expectPage(await identity.fetch(authUrl(spoofed)), 400, /Unregistered redirect_uri/);
    },
  },
  {
    id: 'callback-once',
    fact: 'One login answers one device: the second is a page with 400.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      const { user_code } = await codesOf(identity);
      const [first, second] = [await walk(identity, user_code), await walk(identity, user_code)];
      assert.equal((await identity.fetch(first)).status, 200);
      await expectPage(await identity.fetch(first), 400, /Invalid or expired/);
      await expectPage(await identity.fetch(second), 400, /Invalid or expired/);
    },
  },
];

const POLLING: readonly Row[] = [
  {
    id: 'pending',
    fact: 'Until somebody has logged in, polling is 400 authorization_pending.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      await expectJsonError(await poll(identity, (await codesOf(identity)).device_code), 400, 'authorization_pending');
    },
  },
  {
    id: 'slow-down',
    fact: 'Polling faster than the interval is 400 slow_down and makes it 5 s longer.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.fresh();
      const { device_code } = await codesOf(identity);
      await expectJsonError(await poll(identity, device_code), 400, 'authorization_pending');
      identity.now += 4000;
      await expectJsonError(await poll(identity, device_code), 400, 'slow_down');
      identity.now += 9000;
      await expectJsonError(await poll(identity, device_code), 400, 'slow_down');
      identity.now += 15_000;
      await expectJsonError(await poll(identity, device_code), 400, 'authorization_pending');
    },
  },
  {
    id: 'expired',
    fact: 'After its time it is 400 expired_token.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.fresh();
      const { device_code } = await codesOf(identity);
      identity.now += 300_000;
      await expectJsonError(await poll(identity, device_code), 400, 'expired_token');
    },
  },
  {
    id: 'unknown',
    fact: 'An unknown device code is 400 invalid_request "Invalid Device code.", and none is 400 invalid_request.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      await expectJsonError(await poll(identity, 'x'), 400, 'invalid_request', 'Invalid Device code.');
      await expectJsonError(await poll(identity, ''), 400, 'invalid_request');
    },
  },
  {
    id: 'pkce',
    fact: 'A challenge that was given with the request must be met by the poll: no, wrong and unasked-for verifiers are refused.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.fresh();
      for (const [code_challenge, code_challenge_method] of [
        [hash('sha256', VERIFIER, 'base64url'), 'S256'],
        [VERIFIER, 'plain'],
        [VERIFIER, ''],
      ] as const) {
        const { device_code } = await codesOf(identity, { code_challenge, code_challenge_method });
        const words = 'Expecting parameter code_verifier in PKCE flow.';
        await expectJsonError(await poll(identity, device_code), 400, 'invalid_grant', words);
        const wrong = { code_verifier: 'w'.repeat(64) };
        await expectJsonError(await poll(identity, device_code, wrong), 400, 'invalid_grant', 'Invalid code_verifier.');
        const right = { code_verifier: VERIFIER };
        await expectJsonError(await poll(identity, device_code, right), 400, 'authorization_pending');
      }
      const { device_code } = await codesOf(identity);
      await expectJsonError(await poll(identity, device_code, { code_verifier: VERIFIER }), 400, 'invalid_request');
    },
  },
  {
    id: 'tokens',
    fact: 'After the login a device that polls gets the person’s tokens, once.',
    stand: 'safer',
    dex: 'Gives them to whoever asks again until they are cleaned up.',
    why: 'A device code in a log is worth nothing.',
    proof: async (servers) => {
      const identity = await servers.at();
      const { user_code, device_code } = await codesOf(identity, { scope: 'openid email offline_access' });
      await identity.fetch(await walk(identity, user_code));
      const response = await poll(identity, device_code);
      assert.equal(response.status, 200);
      const tokens = (await response.json()) as Tokens & { token_type: string };
      assert.equal(tokens.token_type, 'bearer');
      assert.equal(claimsOf(tokens.id_token)['email'], 'zoe@example.com');
      assert.equal(claimsOf(tokens.id_token)['aud'], 'cli');
      assert.ok(tokens.refresh_token);
      await expectJsonError(await poll(identity, device_code), 400, 'invalid_request', 'Invalid Device code.');
    },
  },
];

export const DEVICES: Section = {
  id: '2.10',
  title: 'Devices',
  rows: [...ASKING, ...PAGES, ...POLLING],
};
