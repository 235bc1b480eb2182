/** Owns the rows about the page for name and password. */
import assert from 'node:assert/strict';
import { authUrl, locationOf, login, openLogin, USERS } from '../test-identity.ts';
import type { TestIdentity } from '../test-identity.ts';
import { expectPage } from './expectations.ts';
import type { Section } from './row.ts';

const TWO = {
  config: `${USERS}connectors: [{type: mockPassword, id: mock, name: Mock, config: {username: u, password: p}}]\n`,
};
const RIGHT = { login: 'zoe@example.com', password: 'password' };

/** A directory that nobody can reach. */
const DOWN = {
  config: `${USERS}connectors: [{type: ldap, id: ldap, name: L, config: {host: "127.0.0.1:1", insecureNoSSL: true, bindDN: "cn=secret-service", bindPW: secret-pw, userSearch: {baseDN: "dc=x", username: uid, idAttr: uid, emailAttr: mail}}}]\n`,
};

async function pageOf(identity: TestIdentity, connector: string): Promise<string> {
  return (await identity.fetch(authUrl({}, `/dex/auth/${connector}`))).headers.get('location') ?? '';
}

function withQuery(page: string, changes: Readonly<Record<string, string | undefined>>): string {
  const url = new URL(page, 'http://x');
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined) url.searchParams.delete(name);
    else url.searchParams.set(name, value);
  }
  return url.pathname + url.search;
}

export const LOGIN_PAGE: Section = {
  id: '2.5',
  title: 'The login page',
  rows: [
    {
      id: 'form',
      fact: 'GET is 200 with a form by POST to the same address, fields login and password, and the button submit-login.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const page = await openLogin(identity);
        const text = await expectPage(await identity.fetch(page), 200, /<form method="post" action="([^"]*)">/);
        const action = /action="([^"]*)"/.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? '';
        assert.equal(new URL(action, 'http://x').href, new URL(page, 'http://x').href);
        assert.match(text, /<input type="text"[^>]* name="login"/);
        assert.match(text, /<input type="password"[^>]* name="password"/);
        assert.match(text, /<button type="submit" id="submit-login">/);
      },
    },
    {
      id: 'prompt',
      fact: 'The label of the name is the connector’s prompt, and its placeholder the prompt in lower case.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at(TWO);
        const local = await (await identity.fetch(await pageOf(identity, 'local'))).text();
        assert.match(local, /<label for="login">Email Address<\/label>/);
        assert.match(local, /placeholder="email address"/);
        const mock = await (await identity.fetch(await pageOf(identity, 'mock'))).text();
        assert.match(mock, /<label for="login">Username<\/label>/);
        assert.match(mock, /placeholder="username"/);
      },
    },
    {
      id: 'back',
      fact: 'With several connectors a link "Select another login method." leads back to the choice; with one there is none.',
      stand: 'kept',
      proof: async (servers) => {
        const two = await servers.at(TWO);
        const text = await (await two.fetch(await pageOf(two, 'local'))).text();
        const href = /href="([^"]*)">Select another login method\.</.exec(text)?.[1]?.replaceAll('&amp;', '&') ?? '';
        await expectPage(await two.fetch(href), 200, /Log in with Mock/);
        const one = await servers.at();
        assert.doesNotMatch(await (await one.fetch(await openLogin(one))).text(), /another login method/);
      },
    },
    {
      id: 'back-hostile',
      fact: 'A back link that does not lead to the choice of this server is left out.',
      stand: 'safer',
      dex: '2.45 shows any; later versions any path of the same host.',
      follows: 'head',
      why: 'There is one place to go back to.',
      proof: async (servers) => {
        const identity = await servers.at(TWO);
        const page = await pageOf(identity, 'local');
        const hostile = [
          '//evil.example',
          '/\\evil.example',
          'https://evil.example/',
          '/dex/auth?a=b\r\nX: y',
          '/other',
        ];
        for (const back of [...hostile, 'javascript:alert(1)', '/dex/logout']) {
          const text = await (await identity.fetch(withQuery(page, { back }))).text();
          assert.doesNotMatch(text, /another login method/, back);
        }
      },
    },
    {
      id: 'wrong',
      fact: 'Wrong credentials are 401 and the form again, with "Invalid <prompt> and password." in login-error and the name kept.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at(TWO);
        for (const [connector, prompt] of [
          ['local', 'Email Address'],
          ['mock', 'Username'],
        ] as const) {
          const form = { login: `"who@${connector}.example"`, password: 'wrong-secret' };
          const response = await identity.post(await pageOf(identity, connector), form);
          const text = await expectPage(
            response,
            401,
            new RegExp(`id="login-error"[^>]*>Invalid ${prompt} and password\\.<`),
          );
          assert.match(text, new RegExp(`value="&quot;who@${connector}\\.example&quot;"`));
          assert.doesNotMatch(text, /wrong-secret/);
        }
      },
    },
    {
      id: 'wrong-alike',
      fact: 'Unknown person, wrong password and empty password look alike.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.fresh();
        const pages: string[] = [];
        for (const [name, password] of [
          ['no@example.com', 'x'],
          ['zoe@example.com', 'x'],
          ['zoe@example.com', ''],
        ] as const) {
          const response = await identity.post(await openLogin(identity), { login: name, password });
          assert.equal(response.status, 401);
          pages.push((await response.text()).replaceAll(/value="[^"]*"|state=[\w.%-]+/g, ''));
        }
        assert.equal(new Set(pages).size, 1);
      },
    },
    {
      id: 'failure',
      fact: 'A connector that fails is a page with 500: "Login error. Please contact your administrator or try again later.", nothing more.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at(DOWN);
        const response = await identity.post(await pageOf(identity, 'ldap'), { login: 'kim', password: 'x' });
        const words = /Login error\. Please contact your administrator or try again later\./;
        const text = await expectPage(response, 500, words);
        assert.doesNotMatch(text, /ECONNREFUSED|127\.0\.0\.1|secret/);
        assert.ok(
          identity.log.some((line) => line.includes('connector ldap failed')),
          'the reason is in the log',
        );
      },
    },
    {
      id: 'state-missing',
      fact: 'Without state it is a page with 400: "User session error."',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        await expectPage(await identity.fetch('/dex/auth/local/login'), 400, /User session error\./);
        await expectPage(await identity.post('/dex/auth/local/login?state=', RIGHT), 400, /User session error\./);
      },
    },
    {
      id: 'state-unknown',
      fact: 'A state that this server did not make is a page with 400: "Requested resource does not exist."',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const page = await openLogin(identity);
        const state = new URL(page, 'http://x').searchParams.get('state') ?? '';
        for (const other of ['x', 'abcdefghijklmnopqrstuvwxyz', `${state}x`, state.slice(1), state.slice(0, -3)]) {
          const target = withQuery(page, { state: other });
          await expectPage(await identity.fetch(target), 400, /Requested resource does not exist\./);
          await expectPage(await identity.post(target, RIGHT), 400, /Requested resource does not exist\./);
        }
      },
    },
    {
      id: 'state-other-connector',
      fact: 'A state of another connector is a page with 400.',
      stand: 'kept',
      dex: '2.45 answers 500; later versions 400.',
      follows: 'head',
      proof: async (servers) => {
        const identity = await servers.at(TWO);
        const page = (await pageOf(identity, 'local')).replace('/auth/local/', '/auth/mock/');
        await expectPage(
          await identity.post(page, { login: 'u', password: 'p' }),
          400,
          /Requested resource does not exist\./,
        );
      },
    },
    {
      id: 'success',
      fact: 'Where approval is skipped a good login goes by 303 to the redirect URI with code and state.',
      stand: 'kept',
      dex: '2.45 goes there at once; later versions through /auth?req first.',
      follows: 'release',
      proof: async (servers) => {
        const response = await login(await servers.at());
        assert.equal(response.status, 303);
        assert.match(response.headers.get('location') ?? '', /^\/login\/oidc\?code=[\w-]+&state=st%26te%3D1$/);
      },
    },
    {
      id: 'success-approval',
      fact: 'Otherwise it goes by 303 to /approval?req=<id>&hmac=<proof>, 256 bits in base64url without padding.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at({ oauth2: 'skipApprovalScreen: false' });
        const proofs = new Set<string | null>();
        for (const response of [await login(identity), await login(identity)]) {
          assert.equal(response.status, 303);
          const location = response.headers.get('location') ?? '';
          assert.match(location, /^\/dex\/approval\?req=[a-z0-9]{26,}&hmac=[\w-]{43}$/);
          proofs.add(locationOf(response).searchParams.get('hmac'));
        }
        assert.equal(proofs.size, 2);
      },
    },
    {
      id: 'email-case',
      fact: 'The address of a static person is compared without regard to case.',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        for (const name of ['ADMIN@KUBEFLOW.ORG', 'admin@kubeflow.org', 'Admin@Kubeflow.org']) {
          const response = await identity.post(await openLogin(identity), { login: name, password: 'password' });
          assert.equal(response.status, 303, name);
        }
      },
    },
    {
      id: 'methods',
      fact: 'Methods other than GET and POST are a page with 400: "Unsupported request method."',
      stand: 'kept',
      proof: async (servers) => {
        const identity = await servers.at();
        const page = await openLogin(identity);
        for (const method of ['PUT', 'DELETE'])
          await expectPage(await identity.fetch(page, { method }), 400, /Unsupported request method\./);
      },
    },
    {
      id: 'throttled',
      fact: 'Whoever guesses passwords gets 429 with Retry-After and the form, for names that exist or not alike.',
      stand: 'safer',
      dex: 'Lets anybody guess as fast as the hash is computed.',
      why: 'Passwords are guessed.',
      proof: async (servers) => {
        const identity = await servers.fresh();
        for (const name of ['zoe@example.com', 'nobody@example.com']) {
          const page = await openLogin(identity);
          let response = await identity.post(page, { login: name, password: 'wrong' });
          for (let guess = 0; guess < 20 && response.status === 401; guess += 1)
            response = await identity.post(page, { login: name, password: 'wrong' });
          await expectPage(response, 429, /Too many attempts\. Please wait \d+ s/);
          assert.match(response.headers.get('retry-after') ?? '', /^\d+$/);
          assert.equal((await identity.post(page, { login: name, password: 'password' })).status, 429);
        }
        identity.now += 3_600_000;
        assert.equal((await identity.post(await openLogin(identity), RIGHT)).status, 303);
      },
    },
    {
      id: 'foreign-site',
      fact: 'A login form that a page of another site sends is refused with 403, right password or not.',
      stand: 'safer',
      dex: 'Takes it.',
      why: 'Nobody is logged in as somebody else without noticing.',
      proof: async (servers) => {
        const identity = await servers.at();
        const response = await identity.post(await openLogin(identity), RIGHT, { 'sec-fetch-site': 'cross-site' });
        assert.equal(response.status, 403);
        assert.equal(response.headers.get('location'), null);
      },
    },
    {
      id: 'login-hint',
      fact: 'login_hint of the request is in the field of the name.',
      stand: 'more',
      dex: 'Ignores it.',
      why: 'OpenID Connect Core §3.1.2.1; people type their name once.',
      proof: async (servers) => {
        const identity = await servers.at();
        const text = await (
          await identity.fetch(await openLogin(identity, { login_hint: '"kim"@example.com' }))
        ).text();
        assert.match(text, /name="login" value="&quot;kim&quot;@example\.com"/);
      },
    },
  ],
};
