/** Owns the rows about `/auth`: which way to log in a request is led to. */
import assert from 'node:assert/strict';
import { AUTH, authUrl, locationOf, USERS } from '../test-identity.ts';
import type { TestIdentity } from '../test-identity.ts';
import { expectPage } from './expectations.ts';
import type { Row } from './row.ts';

const SEVERAL = {
  config: `${USERS}connectors:
- {type: mockCallback, id: zed, name: Zed}
- {type: mockPassword, id: mock, name: "<i>Mock", config: {username: u, password: p}}
`,
};

async function linksOf(identity: TestIdentity, changes: Record<string, string> = {}): Promise<readonly string[]> {
  const text = await (await identity.fetch(authUrl(changes, '/dex/auth'))).text();
  return [...text.matchAll(/<a[^>]*href="([^"]*\/auth\/[^"]*)"/g)].map(([, href = '']) =>
    href.replaceAll('&amp;', '&'),
  );
}

export const CHOOSE_CONNECTOR: readonly Row[] = [
  {
    id: 'choose-named',
    fact: 'connector_id of a connector that is there leads to it by 302, with all parameters.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at(SEVERAL);
      const response = await identity.fetch(authUrl({ connector_id: 'zed', custom: 'kept' }, '/dex/auth'));
      assert.equal(response.status, 302);
      const { pathname, searchParams } = locationOf(response);
      assert.equal(pathname, '/dex/auth/zed');
      for (const [name, value] of Object.entries({ ...AUTH, connector_id: 'zed', custom: 'kept' }))
        assert.equal(searchParams.get(name), value, name);
    },
  },
  {
    id: 'choose-unknown',
    fact: 'connector_id of none is a page with 400: "Connector ID does not match a valid Connector".',
    stand: 'kept',
    proof: async (servers) => {
      const response = await (await servers.at(SEVERAL)).fetch(authUrl({ connector_id: 'nope' }, '/dex/auth'));
      await expectPage(response, 400, /Connector ID does not match a valid Connector/);
    },
  },
  {
    id: 'choose-only',
    fact: 'The only connector is led to by 302 without a choice, all parameters encoded again and sorted by name.',
    stand: 'kept',
    proof: async (servers) => {
      const response = await (await servers.at()).fetch(`/dex/auth?zz=1&state=a%20b&scope=openid&client_id=app&aa=%2f`);
      assert.equal(response.status, 302);
      const expected = '/dex/auth/local?aa=%2F&client_id=app&scope=openid&state=a+b&zz=1';
      assert.equal(response.headers.get('location'), expected);
    },
  },
  {
    id: 'choose-always',
    fact: 'With oauth2.alwaysShowLoginScreen the only connector is offered on a page too.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at({ oauth2: 'skipApprovalScreen: true, alwaysShowLoginScreen: true' });
      await expectPage(await identity.fetch(authUrl({}, '/dex/auth')), 200, /Log in with Email/);
    },
  },
  {
    id: 'choose-several',
    fact: 'Several connectors are links "Log in with <name>" on a page with 200, sorted by name.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at(SEVERAL);
      const text = await expectPage(await identity.fetch(authUrl({}, '/dex/auth')), 200, /Log in with Zed/);
      const order = [...text.matchAll(/Log in with ([^<]*)</g)].map(([, name]) => name);
      assert.deepEqual(order, ['&lt;i&gt;Mock', 'Email', 'Zed']);
    },
  },
  {
    id: 'choose-links',
    fact: 'Each link leads to /auth/<id> below the issuer’s path with all parameters of the request, and works.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at(SEVERAL);
      const links = await linksOf(identity, { custom: 'kept' });
      assert.deepEqual(
        links.map((href) => new URL(href, identity.origin).pathname),
        ['/dex/auth/mock', '/dex/auth/local', '/dex/auth/zed'],
      );
      for (const href of links) {
        const query = new URL(href, identity.origin).searchParams;
        for (const [name, value] of Object.entries({ ...AUTH, custom: 'kept' })) assert.equal(query.get(name), value);
        assert.equal((await identity.fetch(href)).status, 302);
      }
    },
  },
  {
    id: 'choose-by-address',
    fact: 'A script may choose by putting /<id> behind /auth of the page’s address, as the client of Kubeflow Pipelines does.',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at(SEVERAL);
      const page = authUrl({}, '/dex/auth');
      assert.equal((await identity.fetch(page)).status, 200);
      const login = (await identity.fetch(page.replace('/auth?', '/auth/local?'))).headers.get('location') ?? '';
      assert.match(login, /\/auth\/.*\/login\?/);
      const done = await identity.post(login, { login: 'zoe@example.com', password: 'password' });
      assert.match(done.headers.get('location') ?? '', /^\/login\/oidc\?code=/);
    },
  },
  {
    id: 'choose-icon',
    fact: 'Each link has the class dex-btn-icon--<type>, so that themes can give it a picture.',
    stand: 'kept',
    proof: async (servers) => {
      const text = await (await (await servers.at(SEVERAL)).fetch(authUrl({}, '/dex/auth'))).text();
      for (const type of ['local', 'mockPassword', 'mockCallback'])
        assert.match(text, new RegExp(`dex-btn-icon--${type}"`));
    },
  },
  {
    id: 'choose-client',
    fact: 'A client that is not there is a page with 400 before any choice: "Invalid client_id provided."',
    stand: 'kept',
    dex: '2.45 looks at the client one step later; later versions as here.',
    follows: 'head',
    proof: async (servers) => {
      const identity = await servers.at(SEVERAL);
      for (const client_id of ['nobody', '', '__proto__'])
        await expectPage(
          await identity.fetch(authUrl({ client_id }, '/dex/auth')),
          400,
          /Invalid client_id provided\./,
        );
    },
  },
  {
    id: 'choose-allowed',
    fact: 'A client with allowedConnectors is offered those alone.',
    stand: 'kept',
    dex: '2.45 has no allowedConnectors; later versions as here.',
    follows: 'head',
    proof: async (servers) => {
      const config = `${SEVERAL.config}staticClients:\n- {id: app, name: A, secret: s, redirectURIs: [/login/oidc], allowedConnectors: [zed, local]}\n`;
      const links = await linksOf(await servers.at({ config }));
      assert.deepEqual(
        links.map((href) => new URL(href, 'http://x').pathname),
        ['/dex/auth/local', '/dex/auth/zed'],
      );
    },
  },
  {
    id: 'choose-post',
    fact: 'The request may come as a posted form.',
    stand: 'kept',
    proof: async (servers) => {
      const response = await (await servers.at()).post('/dex/auth', AUTH);
      assert.equal(response.status, 302);
      assert.equal(locationOf(response).searchParams.get('state'), AUTH.state);
    },
  },
  {
    id: 'choose-methods',
    fact: 'Methods other than GET and POST are a page with 400: "Unsupported request method."',
    stand: 'kept',
    proof: async (servers) => {
      const identity = await servers.at();
      for (const method of ['PUT', 'DELETE', 'PATCH']) {
        for (const endpoint of ['/dex/auth', '/dex/auth/local'])
          await expectPage(
            await identity.fetch(authUrl({}, endpoint), { method }),
            400,
            /Unsupported request method\./,
          );
      }
    },
  },
];
