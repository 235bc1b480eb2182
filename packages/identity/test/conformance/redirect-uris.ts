/** Owns the rows about which redirect URIs a client may use. */
import assert from 'node:assert/strict';
import { authUrl, locationOf, login } from '../test-identity.ts';
import { expectPage } from './expectations.ts';
import type { Row } from './row.ts';
import type { Servers } from './servers.ts';

const OOB = 'urn:ietf:wg:oauth:2.0:oob';

async function refuses(servers: Servers, client_id: string, uris: readonly string[]): Promise<void> {
  const identity = await servers.at();
  for (const redirect_uri of uris) {
    const response = await identity.fetch(authUrl({ client_id, redirect_uri }));
    await expectPage(response, 400, /Unregistered redirect_uri\./);
  }
}

async function takes(servers: Servers, client_id: string, uris: readonly string[]): Promise<void> {
  const identity = await servers.at();
  for (const redirect_uri of uris) {
    const response = await identity.fetch(authUrl({ client_id, redirect_uri }));
    assert.equal(response.status, 302, redirect_uri);
    assert.match(locationOf(response).pathname, /^\/dex\/auth\/local\/login$/, redirect_uri);
  }
}

export const REDIRECT_URIS: readonly Row[] = [
  {
    id: 'uri-unregistered',
    fact: 'A redirect_uri that is not registered is a page with 400, never a redirect.',
    stand: 'kept',
    proof: (servers) => refuses(servers, 'app', ['https://evil.example/', '//evil.example/login/oidc', '/other', '']),
  },
  {
    id: 'uri-exact',
    fact: 'Registered means equal to the letter: no prefix, no other case, no slash, query or fragment more.',
    stand: 'kept',
    proof: (servers) =>
      refuses(servers, 'app', [
        '/login/oidc/',
        '/login/oidc/baz',
        '/login',
        '/LOGIN/oidc',
        '/login/oidc?x=1',
        '/login/oidc#x',
        'https://app.example.com/cb',
        'https://app.example.com/cb?x=1&y=2',
        'https://app.example.com:443/plain',
        'http://app.example.com/plain',
      ]),
  },
  {
    id: 'uri-decoded-once',
    fact: 'redirect_uri is decoded once: an encoded form of a registered URI is another URI.',
    stand: 'kept',
    dex: '2.45 decodes twice; later versions once.',
    follows: 'head',
    proof: (servers) =>
      refuses(servers, 'app', [
        '%2Flogin%2Foidc',
        '/login%2Foidc',
        '%252Flogin',
        'https%3A%2F%2Fapp.example.com%2Fplain',
      ]),
  },
  {
    id: 'uri-relative',
    fact: 'A registered relative URI is legal and goes into the Location to the letter.',
    stand: 'kept',
    proof: async (servers) => {
      const location = (await login(await servers.at())).headers.get('location') ?? '';
      assert.match(location, /^\/login\/oidc\?code=/);
    },
  },
  {
    id: 'uri-absolute',
    fact: 'A registered URI with a query keeps it to the letter.',
    stand: 'kept',
    proof: async (servers) => {
      const response = await login(await servers.at(), { redirect_uri: 'https://app.example.com/cb?x=1' });
      assert.match(response.headers.get('location') ?? '', /^https:\/\/app\.example\.com\/cb\?x=1&code=/);
    },
  },
  {
    id: 'uri-loopback',
    fact: 'A public client with no registered URI may use http on localhost, 127.x.x.x and [::1] with any port and path.',
    stand: 'kept',
    proof: (servers) =>
      takes(servers, 'cli', [
        'http://localhost',
        'http://localhost:8080/',
        'http://localhost:991/bar?x=1',
        'http://127.0.0.1/cb',
        'http://127.0.0.1:8080/any/path',
        'http://127.9.8.7:1/',
        'http://[::1]:8080/cb',
      ]),
  },
  {
    id: 'uri-near-loopback',
    fact: 'Nothing that only looks like a loopback address is one: other hosts, other schemes, user parts.',
    stand: 'kept',
    proof: (servers) =>
      refuses(servers, 'cli', [
        'https://localhost/',
        'http://localhost.localhost:8080/',
        'http://localhost.evil.example/',
        'http://localhost@evil.example/',
        'http://128.0.0.1/',
        'http://0.0.0.0/',
        'http://localhost/#fragment',
        'http://evil.example/?http://localhost',
        'custom://localhost/',
        'https://app.example.com/plain',
      ]),
  },
  {
    id: 'uri-oob',
    fact: 'A public client with no registered URI may use the out-of-band page and the device callback.',
    stand: 'kept',
    proof: (servers) => takes(servers, 'cli', [OOB, '/dex/device/callback']),
  },
  {
    id: 'uri-public-registered',
    fact: 'A public client with registered URIs may use those alone.',
    stand: 'kept',
    proof: async (servers) => {
      await takes(servers, 'spa', ['https://spa.example.com/']);
      await refuses(servers, 'spa', [
        'http://localhost:8080/',
        OOB,
        '/dex/device/callback',
        'https://spa.example.com/x',
      ]);
    },
  },
  {
    id: 'uri-confidential',
    fact: 'A confidential client never gets loopback or the out-of-band page without registering it.',
    stand: 'kept',
    proof: (servers) => refuses(servers, 'other', ['http://localhost:8080/', 'http://127.0.0.1/', OOB]),
  },
  {
    id: 'uri-device-confidential',
    fact: 'A confidential client may use the device callback where it is registered, with the issuer’s path or without.',
    stand: 'kept',
    proof: async (servers) => {
      await takes(servers, 'app', ['/dex/device/callback', '/device/callback']);
      await refuses(servers, 'other', ['/dex/device/callback', '/device/callback']);
    },
  },
];
