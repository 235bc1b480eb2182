/** Owns the rows about how the configuration file is read. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { authUrl, claimsOf, configText, loginForTokens, openLogin, redeem, USERS } from '../test-identity.ts';
import type { TestIdentity, TestOptions } from '../test-identity.ts';
import type { Row, Section } from './row.ts';
import { expectNoStart } from './expectations.ts';
import { fileOf, folderOf, runMain } from './main-process.ts';
import type { Servers } from './servers.ts';

const FRAME = 'issuer: http://a.example/dex\nstorage: {type: memory}\nweb: {http: "127.0.0.1:0"}\n';

/** Whether the connector mockPassword lets in who has this name. */
async function letsIn(identity: TestIdentity, login: string, password = 'p'): Promise<boolean> {
  const page = (await identity.fetch(authUrl({}, '/dex/auth/m'))).headers.get('location') ?? '';
  return (await identity.post(page, { login, password })).status === 303;
}

function mock(username: string, env: Record<string, string>, password = 'p'): TestOptions {
  const config = `connectors: [{type: mockPassword, id: m, name: M, config: {username: ${username}, password: ${password}}}]\n`;
  return { config, env };
}

const expansion = (id: string, fact: string, proof: (servers: Servers) => Promise<void>): Row => ({
  id,
  fact,
  stand: 'kept',
  proof,
});

const EXPANSION: readonly Row[] = [
  expansion('env', '$VAR and ${VAR} in connectors[].config are the environment’s.', async (servers) => {
    assert.ok(await letsIn(await servers.at(mock('"$WHO"', { WHO: 'kim' })), 'kim'));
    assert.ok(await letsIn(await servers.at(mock('"x${WHO}y"', { WHO: 'kim' })), 'xkimy'));
  }),
  expansion('env-undefined', 'A variable that is not set is empty.', async (servers) => {
    assert.ok(await letsIn(await servers.at(mock('"a${GONE}b$GONE"', {})), 'ab'));
  }),
  expansion(
    'env-once',
    'What comes out is not read again, and there is no way to write a $ itself.',
    async (servers) => {
      assert.ok(await letsIn(await servers.at(mock('"$A"', { A: '$B', B: 'b' })), '$B'));
      assert.ok(await letsIn(await servers.at(mock('"kim"', { PW: 'pa$word' }, '"$PW"')), 'kim', 'pa$word'));
    },
  ),
  expansion('env-nested', 'It reaches into maps and lists.', async (servers) => {
    const config = `connectors: [{type: authproxy, id: p, name: P, config: {staticGroups: ["$GROUP", plain]}}]\n`;
    const identity = await servers.at({ config, env: { GROUP: 'staff' } });
    const out = new URL((await identity.fetch(authUrl({}, '/dex/auth/p'))).headers.get('location') ?? '', 'http://x');
    const headers = { 'x-remote-user': 'kim' };
    const done = await identity.fetch(out.pathname + out.search, { headers });
    const code = new URL(done.headers.get('location') ?? '', 'http://x').searchParams.get('code') ?? '';
    const tokens = (await (await redeem(identity, code)).json()) as { id_token: string };
    assert.deepEqual(claimsOf(tokens.id_token)['groups'], ['staff', 'plain']);
  }),
  {
    ...expansion('env-signer', 'So is it in storage.config and signer.config.', async (servers) => {
      const folder = folderOf(servers);
      const identity = await servers.fresh({
        storage: 'type: sqlite3, config: {file: "$FOLDER/dex.db"}',
        signer: 'signer: {config: {algorithm: $ALG}}\n',
        env: { FOLDER: folder, ALG: 'ES256' },
      });
      assert.ok(existsSync(`${folder}/dex.db`));
      const { keys } = (await (await identity.fetch('/dex/keys')).json()) as { keys: { alg: string }[] };
      assert.equal(keys[0]?.alg, 'ES256');
    }),
    dex: '2.45 does so in storage.config; later versions in signer.config too.',
    follows: 'head',
  },
  expansion(
    'env-nowhere-else',
    'Elsewhere $VAR stays what it is: issuer, clients, people, names of connectors.',
    async (servers) => {
      const config = `enablePasswordDB: true
staticPasswords: [{email: a@b.example, hash: "$HASH_TEXT", username: $WHO, userID: $WHO}]
staticClients: [{id: app, name: A, secret: "$WHO", redirectURIs: [/login/oidc]}]
connectors: [{type: mockCallback, id: m, name: "$WHO"}]
`.replace('$HASH_TEXT', '$2y$10$uK9tzAHwz1xVE3s9JoMdLOd/vTogYo/.DJfRtxpv/sB4U/k2Dr5Fe');
      const identity = await servers.at({ config, env: { WHO: 'kim' } });
      assert.match(await (await identity.fetch(authUrl({}, '/dex/auth'))).text(), /Log in with \$WHO/);
      const page = await openLogin(identity);
      const done = await identity.post(page, { login: 'a@b.example', password: 'password' });
      const code = new URL(done.headers.get('location') ?? '', 'http://x').searchParams.get('code') ?? '';
      const form = { grant_type: 'authorization_code', code, redirect_uri: '/login/oidc', client_id: 'app' };
      const tokens = await identity.post('/dex/token', { ...form, client_secret: '$WHO' });
      assert.equal(tokens.status, 200);
      assert.equal(claimsOf(((await tokens.json()) as { id_token: string }).id_token)['name'], '$WHO');
    },
  ),
  expansion('env-off', 'DEX_EXPAND_ENV=false turns it off.', async (servers) => {
    const options = mock('"$WHO"', { WHO: 'kim', DEX_EXPAND_ENV: 'false' });
    assert.ok(await letsIn(await servers.at(options), '$WHO'));
  }),
];

const DURATIONS: readonly (readonly [string, number])[] = [
  ['24h', 86_400],
  ['5m', 300],
  ['1h30m', 5400],
  ['90s', 90],
  ['1.5h', 5400],
  ['1h0m1s', 3601],
  ['60000ms', 60],
];

export const PARSING: Section = {
  id: '1.2',
  title: 'How the file is read',
  rows: [
    {
      id: 'key-case',
      fact: 'Keys are recognised in any case.',
      stand: 'kept',
      proof: async (servers) => {
        const text = `ISSUER: http://a.example/dex
Storage: {TYPE: memory}
WEB: {Http: "127.0.0.1:0"}
OAuth2: {SKIPAPPROVALSCREEN: true}
enablepassworddb: true
STATICPASSWORDS: [{Email: a@b.example, HASH: "$2y$10$uK9tzAHwz1xVE3s9JoMdLOd/vTogYo/.DJfRtxpv/sB4U/k2Dr5Fe", userid: "1"}]
staticclients: [{ID: app, NAME: A, Secret: s, redirecturis: [/login/oidc]}]
`;
        const identity = await servers.at({ text });
        const done = await identity.post(await openLogin(identity), { login: 'a@b.example', password: 'password' });
        assert.match(done.headers.get('location') ?? '', /^\/login\/oidc\?code=/);
      },
    },
    {
      id: 'booleans',
      fact: 'Booleans may be written as in YAML 1.1: yes, no, on, off.',
      stand: 'kept',
      proof: async (servers) => {
        for (const [word, path] of [
          ['yes', '/login/oidc'],
          ['on', '/login/oidc'],
          ['no', '/dex/approval'],
          ['off', '/dex/approval'],
        ] as const) {
          const identity = await servers.at({ oauth2: `skipApprovalScreen: ${word}` });
          const done = await identity.post(await openLogin(identity), {
            login: 'zoe@example.com',
            password: 'password',
          });
          assert.ok(done.headers.get('location')?.startsWith(path), word);
        }
      },
    },
    {
      id: 'duplicate-keys',
      fact: 'A key that is given twice is a mistake that is named with both lines, a second connectors in words of its own.',
      stand: 'safer',
      dex: 'Takes the last.',
      why: 'What `cat a b > c` makes on its second run would forget connectors without a word.',
      proof: async () => {
        const part = 'connectors: [{type: mockCallback, id: m, name: M}]\n';
        await expectNoStart(
          { text: FRAME + part + part },
          /connectors is given twice[^]*Join both under one "connectors:" key/,
        );
        await expectNoStart({ text: `${FRAME}${part}web: {http: "127.0.0.1:0"}\n` }, /web is given twice/);
      },
    },
    {
      id: 'unknown-keys',
      fact: 'Unknown keys are served all the same, with a warning that suggests the near one.',
      stand: 'more',
      dex: 'Says nothing.',
      why: 'A misspelt key does nothing, and somebody wonders why.',
      proof: async (servers) => {
        const identity = await servers.at({ oauth2: 'skipAprovalScreen: true' });
        assert.equal((await identity.fetch('/dex/healthz')).status, 200);
        const file = fileOf(servers, configText({ oauth2: 'skipAprovalScreen: true' }));
        const { code, out } = await runMain(['check', file]);
        assert.equal(code, 0);
        assert.match(out, /skipAprovalScreen[^]*Did you mean "skipApprovalScreen"/);
      },
    },
    {
      id: 'unknown-connector-keys',
      fact: 'In a connector’s config an unknown key is a mistake.',
      stand: 'safer',
      dex: 'Ignores it.',
      why: 'A misspelt allowedGroups would let everybody in.',
      proof: async () => {
        const config =
          'connectors: [{type: mockPassword, id: m, name: M, config: {username: u, password: p, usr: x}}]\n';
        await expectNoStart({ config }, /usr/);
      },
    },
    {
      id: 'disallow-unknown',
      fact: 'DEX_CONFIG_DISALLOW_UNKNOWN_FIELDS makes unknown keys mistakes everywhere; false makes them warnings everywhere.',
      stand: 'kept',
      dex: '2.45 has no such switch; later versions as here.',
      follows: 'head',
      proof: async (servers) => {
        const name = 'DEX_CONFIG_DISALLOW_UNKNOWN_FIELDS';
        const unknown = { oauth2: 'skipAprovalScreen: true' };
        await expectNoStart({ ...unknown, env: { [name]: 'true' } }, /skipAprovalScreen/);
        const config =
          'connectors: [{type: mockPassword, id: m, name: M, config: {username: u, password: p, usr: x}}]\n';
        assert.ok(await letsIn(await servers.at({ config, env: { [name]: 'false' } }), 'u'));
      },
    },
    {
      id: 'coercion',
      fact: 'A number or boolean where text is wanted is taken as it is spelt, everywhere: 1.3, 15841185641784012345, on.',
      stand: 'more',
      dex: '2.45 takes them but in storage, connectors and staticPasswords; later versions nowhere.',
      follows: 'release',
      why: 'Files that were written for any of them go on working.',
      proof: async (servers) => {
        const config = USERS.replace(
          'userID: 08a8684b-db88-4b73-90a9-3cd1661f5466',
          'userID: 15841185641784012345',
        ).replace('username: admin', 'username: on');
        const identity = await servers.at({ config, web: ', tlsMinVersion: 1.3' });
        const claims = claimsOf((await loginForTokens(identity)).id_token);
        assert.equal(claims['name'], 'on');
        assert.ok(Buffer.from(String(claims['sub']), 'base64url').includes('15841185641784012345'));
        assert.ok(await letsIn(await servers.at(mock('12345', {}, '"012"')), '12345', '012'));
        assert.ok(await letsIn(await servers.at(mock('yes', {}, '0.10')), 'yes', '0.10'));
      },
    },
    {
      id: 'durations',
      fact: 'Durations are Go’s: 24h, 5m, 1h30m, 90s, 1.5h, 60000ms.',
      stand: 'kept',
      proof: async (servers) => {
        for (const [text, seconds] of DURATIONS) {
          const identity = await servers.at({ more: `expiry: {idTokens: ${text}}\n` });
          assert.equal((await loginForTokens(identity)).expires_in, seconds, text);
        }
      },
    },
    {
      id: 'durations-bad',
      fact: 'Days, bare numbers and negative durations are mistakes.',
      stand: 'kept',
      proof: async () => {
        for (const text of ['1d', '90', 'soon', '-5m'])
          await expectNoStart({ more: `expiry: {idTokens: ${text}}\n` }, /idTokens is not a duration/);
      },
    },
    ...EXPANSION,
  ],
};
