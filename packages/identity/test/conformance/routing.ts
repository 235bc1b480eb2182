/** Owns the rows about which addresses there are, and what all of them have in common. */
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import {
  authUrl,
  basic,
  ISSUER,
  locationOf,
  login,
  loginForTokens,
  openLogin,
  redeem,
  USERS,
} from '../test-identity.ts';
import { expectJsonError, expectPage } from './expectations.ts';
import type { Section } from './row.ts';
import { ask } from './servers.ts';
import type { Servers } from './servers.ts';

const DEVICE = 'urn:ietf:params:oauth:grant-type:device_code';
const ORIGIN = { origin: 'https://a.example' };
const CORS = { web: ', allowedOrigins: ["https://a.example"]' };
const TWO = { config: `${USERS}connectors: [{type: mockCallback, id: "a b", name: Spaced}]\n` };
const PROXY = { config: `${USERS}connectors: [{type: authproxy, id: proxy, name: Proxy}]\n` };

/** Every address with a method that it takes and the status of a request that says nothing. */
const ROUTES: readonly (readonly [string, string, number])[] = [
  ['GET', '/dex', 200],
  ['GET', '/dex/.well-known/openid-configuration', 200],
  ['GET', '/dex/keys', 200],
  ['POST', '/dex/token', 400],
  ['POST', '/dex/token/introspect', 400],
  ['GET', '/dex/userinfo', 401],
  ['GET', '/dex/auth', 400],
  ['POST', '/dex/auth', 400],
  ['GET', '/dex/auth/local/login', 400],
  ['POST', '/dex/auth/local/login', 400],
  ['GET', '/dex/callback', 400],
  ['GET', '/dex/callback/local', 400],
  ['GET', '/dex/approval', 401],
  ['POST', '/dex/approval', 401],
  ['GET', '/dex/device', 200],
  ['POST', '/dex/device/auth/verify_code', 400],
  ['POST', '/dex/device/code', 401],
  ['GET', '/dex/device/callback', 400],
  ['POST', '/dex/device/token', 400],
  ['GET', '/dex/healthz', 200],
  ['GET', '/dex/robots.txt', 200],
];

async function statuses(servers: Servers, rows: readonly (readonly [string, string, number])[]): Promise<void> {
  const identity = await servers.at();
  for (const [method, target, status] of rows) {
    assert.equal((await ask(identity, target, { method })).status, status, `${method} ${target}`);
  }
}

export const ROUTING: Section = {
  id: '2.1',
  title: 'Addresses',
  rows: [
    {
      id: 'every-route',
      fact: 'Every address of Dex is there below the path of the issuer.',
      stand: 'kept',
      proof: (servers) => statuses(servers, ROUTES),
    },
    {
      id: 'case',
      fact: 'An address in another case is 404.',
      stand: 'kept',
      proof: (servers) =>
        statuses(servers, [
          ['GET', '/dex/Keys', 404],
          ['GET', '/DEX/keys', 404],
          ['GET', '/dex/auth/local/LOGIN', 404],
        ]),
    },
    {
      id: 'trailing-slash',
      fact: 'An address with a slash at its end is 404.',
      stand: 'kept',
      proof: (servers) =>
        statuses(servers, [
          ['GET', '/dex/keys/', 404],
          ['GET', '/dex/auth/', 404],
          ['POST', '/dex/token/', 404],
        ]),
    },
    {
      id: 'no-cleaning',
      fact: 'A path is not tidied up: a double slash or a dot segment is 404.',
      stand: 'kept',
      proof: (servers) =>
        statuses(servers, [
          ['GET', '/dex//keys', 404],
          ['GET', '/dex/./keys', 404],
          ['GET', '/dex/x/../keys', 404],
        ]),
    },
    {
      id: 'encoded-path',
      fact: 'A letter that is percent-encoded is another letter: 404.',
      stand: 'kept',
      proof: (servers) =>
        statuses(servers, [
          ['GET', '/dex/%6beys', 404],
          ['GET', '/dex%2Fkeys', 404],
        ]),
    },
    {
      id: 'encoded-connector',
      fact: 'The id of a connector in a path is percent-decoded.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at(TWO);
        const response = await identity.fetch(authUrl({}, '/dex/auth/a%20b'));
        assert.equal(response.status, 302);
        assert.equal(locationOf(response).pathname, '/dex/callback');
      },
    },
    {
      id: 'not-found-text',
      fact: 'An unknown address below or outside of the issuer’s path is 404 in plain text.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        for (const target of ['/', '/keys', '/dex/unknown', '/other/keys', '/dexkeys']) {
          const { status, headers, body } = await ask(identity, target);
          assert.equal(status, 404, target);
          assert.match(String(headers['content-type']), /^text\/plain/);
          assert.match(body, /not found/);
        }
      },
    },
    {
      id: 'landing',
      fact: 'The issuer itself is a small page that leads to the discovery document.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        await expectPage(await identity.fetch('/dex'), 200, /href="\/dex\/\.well-known\/openid-configuration"/);
        assert.equal((await ask(identity, '/dex/')).status, 404);
      },
    },
    {
      id: 'issuer-without-path',
      fact: 'An issuer without a path has its addresses at the root.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at({ issuer: 'http://login.example.com' });
        assert.equal((await identity.fetch('/')).status, 200);
        assert.equal((await identity.fetch('/keys')).status, 200);
        assert.equal((await identity.fetch('/dex/keys')).status, 404);
        const location = (await identity.fetch(authUrl({}, '/auth'))).headers.get('location') ?? '';
        assert.match(location, /^\/auth\/local\?/);
      },
    },
    {
      id: 'cors-off',
      fact: 'Without web.allowedOrigins no answer lets scripts of another origin read it.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        for (const [method, target] of ROUTES) {
          const { headers } = await ask(identity, target, { method, headers: ORIGIN });
          assert.equal(headers['access-control-allow-origin'], undefined, target);
        }
      },
    },
    {
      id: 'cors-routes',
      fact: 'With web.allowedOrigins their scripts may read discovery, landing page, token, keys, userinfo, introspection and revocation.',
      stand: 'more',
      dex: 'The same without the revocation, which it does not have.',
      why: 'Applications in a browser give up their refresh tokens.',
      proof: async (servers) => {
        const identity = await servers.at(CORS);
        const readable = ['/.well-known/openid-configuration', '', '/token', '/keys', '/userinfo', '/token/introspect'];
        for (const target of [...readable, '/token/revoke']) {
          const { headers } = await ask(identity, `/dex${target}`, { headers: ORIGIN });
          assert.equal(headers['access-control-allow-origin'], 'https://a.example', target);
          assert.match(String(headers.vary), /origin/i, target);
        }
      },
    },
    {
      id: 'cors-pages',
      fact: 'With web.allowedOrigins nothing else may be read by scripts of other origins.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at(CORS);
        const closed = ['/auth', '/auth/local', '/auth/local/login', '/callback', '/approval', '/device'];
        for (const target of [...closed, '/device/code', '/device/callback', '/device/token', '/healthz', '/logout']) {
          const { headers } = await ask(identity, `/dex${target}`, { headers: ORIGIN });
          assert.equal(headers['access-control-allow-origin'], undefined, target);
        }
      },
    },
    {
      id: 'remote-headers',
      fact: 'Headers X-Remote-… that come to /callback are not believed.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at(PROXY);
        const out = locationOf(await identity.fetch(authUrl({}, '/dex/auth/proxy')));
        const headers = { 'x-remote-user': 'root', 'x-remote-user-email': 'root@example.com' };
        const response = await identity.fetch(`/dex/callback${out.search}`, { headers });
        assert.ok(response.status >= 400, String(response.status));
        assert.equal(response.headers.get('location'), null);
        const own = await identity.fetch(`/dex/callback/proxy${out.search}`, { headers });
        assert.equal(own.status, 303, 'the path that a proxy guards works');
      },
    },
    {
      id: 'device-token',
      fact: 'The old address /device/token takes the device grant and answers every other with 400 invalid_grant.',
      stand: 'kept',
      dex: '2.45 has it; later versions do not.',
      follows: 'release',
      proof: async (servers) => {
        const identity = await servers.at();
        const poll = { grant_type: DEVICE, device_code: 'x' };
        await expectJsonError(await identity.post('/dex/device/token', poll), 400, 'invalid_request');
        const other = { grant_type: 'authorization_code', code: 'x' };
        const response = await identity.post('/dex/device/token', other, basic('app', 's3cret'));
        await expectJsonError(response, 400, 'invalid_grant');
      },
    },
    {
      id: 'logout-routes',
      fact: '/logout and /logout/callback are there, with login sessions and without.',
      stand: 'more',
      dex: '2.45 has no logout; later versions have it where sessions are on.',
      follows: 'head',
      why: 'Clients find one address in every installation.',
      proof: (servers) =>
        statuses(servers, [
          ['GET', '/dex/logout', 200],
          ['GET', '/dex/logout/callback', 200],
        ]),
    },
    {
      id: 'mfa-routes',
      fact: 'There are no addresses for second factors.',
      stand: 'absent',
      dex: '2.45 has none either; later versions have /mfa….',
      follows: 'release',
      why: 'A file that asks for a second factor is refused, never served without it.',
      proof: (servers) =>
        statuses(servers, [
          ['GET', '/dex/mfa', 404],
          ['GET', '/dex/mfa/totp', 404],
        ]),
    },
    {
      id: 'web-files',
      fact: 'Files of frontend.dir are served below /static, in folders too, and those of its theme below /theme.',
      stand: 'kept',
      proof: async (servers) => {
        const dir = mkdtempSync(path.join(tmpdir(), 'identity-web-'));
        servers.after(() => rmSync(dir, { recursive: true, force: true }));
        mkdirSync(path.join(dir, 'static/img'), { recursive: true });
        mkdirSync(path.join(dir, 'themes/dark'), { recursive: true });
        for (const file of ['static/main.css', 'static/img/ldap-icon.svg', 'themes/dark/logo.png'])
          writeFileSync(path.join(dir, file), file);
        writeFileSync(path.join(dir, 'secret.css'), 'secret');
        const identity = await servers.fresh({ more: `frontend: {dir: ${dir}, theme: dark}\n` });
        for (const [target, body] of [
          ['/static/main.css', 'static/main.css'],
          ['/static/img/ldap-icon.svg', 'static/img/ldap-icon.svg'],
          ['/theme/logo.png', 'themes/dark/logo.png'],
        ] as const) {
          const answer = await ask(identity, `/dex${target}`);
          assert.equal(`${answer.status} ${answer.body}`, `200 ${body}`, target);
        }
        const outside = [
          '../secret.css',
          'img/../../secret.css',
          '%2e%2e/secret.css',
          'img/..%2f..%2fsecret.css',
          'img//x.css',
        ];
        for (const target of outside) assert.equal((await ask(identity, `/dex/static/${target}`)).status, 404, target);
      },
    },
    {
      id: 'robots',
      fact: '/robots.txt asks robots to stay away.',
      stand: 'kept',
      proof: async (servers) => {
        const { status, headers, body } = await ask(await servers.at(), '/dex/robots.txt');
        assert.equal(status, 200);
        assert.match(String(headers['content-type']), /^text\/plain/);
        assert.equal(body, 'User-agent: *\nDisallow: /\n');
      },
    },
    {
      id: 'no-cookies',
      fact: 'A login from the first request to the tokens sets no cookie and needs none.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at({ oauth2: 'skipApprovalScreen: false' });
        const first = await identity.fetch(authUrl({}, '/dex/auth'));
        const second = await identity.fetch(first.headers.get('location') ?? '');
        const page = await identity.fetch(second.headers.get('location') ?? '');
        const form = { login: 'zoe@example.com', password: 'password' };
        const approval = await identity.post(second.headers.get('location') ?? '', form);
        const req = locationOf(approval).searchParams.get('req') ?? '';
        const answer = { req, approval: 'approve' };
        const done = await identity.post(approval.headers.get('location') ?? '', answer);
        const tokens = await redeem(identity, locationOf(done).searchParams.get('code') ?? '');
        assert.equal(tokens.status, 200);
        for (const one of [first, second, page, approval, done, tokens])
          assert.deepEqual(one.headers.getSetCookie(), []);
      },
    },
    {
      id: 'state',
      fact: 'The state of a login page is sealed: at least 128 unguessable bits, no two alike, and nothing is stored for it.',
      stand: 'safer',
      dex: 'The state is the id of a stored request, 26 letters and digits.',
      why: 'Whoever asks for login pages all day fills no storage.',
      proof: async (servers) => {
        const identity = await servers.at();
        const states = await Promise.all(
          Array.from({ length: 20 }, async () =>
            new URL(await openLogin(identity), 'http://x').searchParams.get('state'),
          ),
        );
        assert.equal(new Set(states).size, 20);
        for (const state of states) assert.match(state ?? '', /^[\w.-]{60,}$/);
        assert.equal(new Set(states.map((state) => state?.slice(-22))).size, 20);
      },
    },
    {
      id: 'path-absolute',
      fact: 'Every redirect to an own page begins with one slash and names no host, whatever the issuer’s host is.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at({ oauth2: 'skipApprovalScreen: false' });
        const host = { headers: { host: 'gateway.example', 'x-forwarded-proto': 'https' } };
        const first = await ask(identity, authUrl({}, '/dex/auth'), host);
        const second = await ask(identity, String(first.headers.location), host);
        const approval = await login(identity);
        const device = await identity.post('/dex/device/code', { client_id: 'cli' });
        const { user_code } = (await device.json()) as { user_code: string };
        const verified = await identity.post('/dex/device/auth/verify_code', { user_code });
        const locations = [first.headers.location, second.headers.location, approval.headers.get('location')];
        for (const location of [...locations, verified.headers.get('location')]) {
          assert.match(String(location), /^\/dex\/(?:auth|approval)/);
        }
      },
    },
    {
      id: 'page-assets',
      fact: 'Pages carry what they need with them and name no host.',
      stand: 'kept',
      dex: 'Style sheets and pictures are addresses relative to the page.',
      why: 'One request, no matter under which name the page was reached.',
      proof: async (servers) => {
        const identity = await servers.at();
        const targets = ['/dex', await openLogin(identity), '/dex/device', '/dex/approval', '/dex/callback'];
        for (const target of targets) {
          const text = await (await identity.fetch(target)).text();
          assert.doesNotMatch(text, /https?:\/\/|(?:src|href)="\/\//, target);
        }
      },
    },
    {
      id: 'issuer-host',
      fact: 'Only discovery and the address for devices name the issuer’s host, and never the host that a request names.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', forwarded: 'host=evil.example' };
        const { body } = await ask(identity, '/dex/.well-known/openid-configuration', { headers });
        assert.ok(body.includes(`"${ISSUER}/token"`));
        assert.ok(!body.includes('evil'));
        const device = await identity.post(
          '/dex/device/code',
          { client_id: 'cli' },
          { 'x-forwarded-host': 'evil.example' },
        );
        const { verification_uri } = (await device.json()) as { verification_uri: string };
        assert.equal(verification_uri, `${ISSUER}/device`);
        assert.equal((await loginForTokens(identity)).id_token.includes('evil'), false);
      },
    },
    {
      id: 'error-page',
      fact: 'An error is an HTML page with the status in words as its heading and one sentence, and has that status.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const page = await identity.fetch('/dex/auth/local/login');
        await expectPage(page, 400, /<h1>Bad Request<\/h1>\s*<p [^>]*>User session error\.<\/p>/);
        await expectPage(await identity.fetch('/dex/approval'), 401, /<h1>Unauthorized<\/h1>/);
        await expectPage(await identity.fetch(authUrl({ client_id: 'nobody' })), 404, /<h1>Not Found<\/h1>/);
      },
    },
  ],
};
