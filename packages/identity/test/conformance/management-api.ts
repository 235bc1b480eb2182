/** Owns the rows about the management API `api.Dex` by gRPC, asked over HTTP/2 with the file that other programs are given. */
import assert from 'node:assert/strict';
import { createDexApiClients, refused } from '../dex-api-client.ts';
import type { Call, DexApiClients, Json } from '../dex-api-client.ts';
import { basic, claimsOf, HASH, ISSUER, loginForCode, loginForTokens, openLogin, redeem } from '../test-identity.ts';
import type { TestIdentity, Tokens } from '../test-identity.ts';
import { held } from './held-by.ts';
import type { HeldBy } from './held-by.ts';
import type { Row, Section } from './row.ts';
import type { Servers } from './servers.ts';

const GRPC = { more: 'grpc: {addr: "127.0.0.1:0", insecureWithoutClientCertificates: true}\n' };
const API = 'src/api/dex-api.attack.test.ts';
const CONNECTORS = 'src/api/connector-methods.attack.test.ts';
const SESSIONS = 'src/api/session-methods.attack.test.ts';
const PERSON = { hash: Buffer.from(HASH), username: 'new', user_id: 'n1' };

interface Api {
  readonly identity: TestIdentity;
  readonly call: Call;
}

const clientsOf = new WeakMap<Servers, DexApiClients>();

async function api(servers: Servers): Promise<Api> {
  const clients = clientsOf.get(servers) ?? createDexApiClients();
  if (!clientsOf.has(servers)) servers.after(() => clients.close());
  clientsOf.set(servers, clients);
  const identity = await servers.at(GRPC);
  return { identity, call: clients.at(identity.grpc) };
}

function row(id: string, fact: string, proof: (api: Api) => Promise<void>): Row {
  return { id, fact, stand: 'kept', proof: async (servers) => proof(await api(servers)) };
}

async function created(call: Call, client: Json): Promise<Json> {
  return (await call('CreateClient', { client }))['client'] as Json;
}

async function logIn(identity: TestIdentity, login: string, password = 'password'): Promise<number> {
  return (await identity.post(await openLogin(identity), { login, password })).status;
}

const CLIENTS: readonly Row[] = [
  row(
    'create-client',
    'CreateClient makes up an id and a secret where none are given, and the client is in use at once.',
    async ({ identity, call }) => {
      const client = await created(call, { name: 'Made', redirect_uris: ['/made'] });
      assert.ok(String(client['id']).length >= 16 && String(client['secret']).length >= 32);
      const { id, secret } = client as { id: string; secret: string };
      const code = await loginForCode(identity, { client_id: id, redirect_uri: '/made' });
      const form = { grant_type: 'authorization_code', code, redirect_uri: '/made' };
      assert.equal((await identity.post('/dex/token', form, basic(id, secret))).status, 200);
    },
  ),
  row(
    'create-client-twice',
    'CreateClient of an id that is there says already_exists and changes nothing.',
    async ({ call }) => {
      await created(call, { id: 'twice', name: 'First', secret: 's' });
      assert.equal((await call('CreateClient', { client: { id: 'twice', name: 'Second' } }))['already_exists'], true);
      assert.equal(((await call('GetClient', { id: 'twice' }))['client'] as Json)['name'], 'First');
    },
  ),
  row('get-client', 'GetClient gives a client with its secret, or NOT_FOUND.', async ({ call }) => {
    const client = await created(call, { id: 'got', name: 'Got', secret: 'its-secret', trusted_peers: ['app'] });
    assert.deepEqual((await call('GetClient', { id: 'got' }))['client'], client);
    assert.equal(client['secret'], 'its-secret');
    await refused(call('GetClient', { id: 'nothing' }), 5, /not found/);
  }),
  row(
    'update-client',
    'UpdateClient changes the fields that are not empty, and says not_found for one that is not there.',
    async ({ call }) => {
      await created(call, { id: 'changed', name: 'Before', secret: 's', redirect_uris: ['/a'] });
      assert.deepEqual(await call('UpdateClient', { id: 'changed', name: 'After' }), { not_found: false });
      const client = (await call('GetClient', { id: 'changed' }))['client'] as Json;
      assert.deepEqual([client['name'], client['redirect_uris']], ['After', ['/a']]);
      assert.deepEqual(await call('UpdateClient', { id: 'nothing', name: 'x' }), { not_found: true });
    },
  ),
  row(
    'delete-client',
    'DeleteClient ends a client at once, and says not_found for one that is not there.',
    async ({ identity, call }) => {
      await created(call, { id: 'gone', name: 'Gone', secret: 's', redirect_uris: ['/gone'] });
      assert.deepEqual(await call('DeleteClient', { id: 'gone' }), { not_found: false });
      assert.deepEqual(await call('DeleteClient', { id: 'gone' }), { not_found: true });
      assert.equal((await identity.fetch('/dex/auth/local?client_id=gone&redirect_uri=/gone')).status, 404);
    },
  ),
  row('list-clients', 'ListClients lists those of the file and of the storage, without secrets.', async ({ call }) => {
    await created(call, { id: 'listed', name: 'Listed', secret: 'secret-of-listed' });
    const { clients } = (await call('ListClients')) as { clients: Json[] };
    const ids = clients.map(({ id }) => id);
    for (const id of ['listed', 'app', 'cli']) assert.ok(ids.includes(id), id);
    assert.doesNotMatch(JSON.stringify(clients), /secret-of-listed|s3cret/);
  }),
  row('static-clients', 'Clients of the file cannot be changed or deleted.', async ({ call }) => {
    assert.equal((await call('CreateClient', { client: { id: 'app', secret: 'mine' } }))['already_exists'], true);
    await refused(call('UpdateClient', { id: 'app', name: 'x' }), 9, /configuration file/);
    await refused(call('DeleteClient', { id: 'app' }), 9, /configuration file/);
  }),
];

const PASSWORDS: readonly Row[] = [
  row(
    'create-password',
    'CreatePassword makes a person who can log in at once; one that is there is already_exists.',
    async ({ identity, call }) => {
      const password = { ...PERSON, email: 'New@example.com' };
      assert.deepEqual(await call('CreatePassword', { password }), { already_exists: false });
      assert.equal(await logIn(identity, 'new@example.com'), 303);
      const again = { ...password, email: 'NEW@EXAMPLE.COM' };
      assert.deepEqual(await call('CreatePassword', { password: again }), { already_exists: true });
    },
  ),
  row(
    'create-password-fields',
    'CreatePassword wants email, hash, username and user_id, and bcrypt of cost 10 to 16.',
    async ({ call }) => {
      const good = { ...PERSON, email: 'fields@example.com' };
      const empty = Buffer.alloc(0);
      for (const [changes, words] of [
        [{ email: '' }, /email/],
        [{ hash: empty }, /hash|bcrypt/],
        [{ username: '' }, /username/],
        [{ user_id: '' }, /user_id/],
        [{ hash: Buffer.from(HASH.replace('$10$', '$09$')) }, /cost 9/],
        [{ hash: Buffer.from(HASH.replace('$10$', '$17$')) }, /cost 17/],
      ] as const)
        await refused(call('CreatePassword', { password: { ...good, ...changes } }), 3, words);
    },
  ),
  row(
    'update-password',
    'UpdatePassword changes hash or name, and says not_found for a person who is not there.',
    async ({ identity, call }) => {
      const email = 'update@example.com';
      await call('CreatePassword', { password: { ...PERSON, email } });
      const other = '$2b$10$K7L1OJ45/4Y2nIvhRVpCe.FSmhDdWoXehVzJptJ/op0lSsvqNu/1u';
      assert.deepEqual(await call('UpdatePassword', { email, new_hash: Buffer.from(other) }), { not_found: false });
      assert.equal(await logIn(identity, email), 401);
      const nobody = { email: 'nobody@example.com', new_username: 'x' };
      assert.deepEqual(await call('UpdatePassword', nobody), { not_found: true });
    },
  ),
  row(
    'delete-password',
    'DeletePassword ends a person’s logins, and says not_found for one who is not there.',
    async ({ identity, call }) => {
      const email = 'delete@example.com';
      await call('CreatePassword', { password: { ...PERSON, email } });
      assert.deepEqual(await call('DeletePassword', { email }), { not_found: false });
      assert.deepEqual(await call('DeletePassword', { email }), { not_found: true });
      assert.equal(await logIn(identity, email), 401);
    },
  ),
  row('list-passwords', 'ListPasswords lists people without their hashes.', async ({ call }) => {
    await call('CreatePassword', { password: { ...PERSON, email: 'listed@example.com' } });
    const listed = JSON.stringify(await call('ListPasswords'));
    assert.match(listed, /listed@example\.com/);
    assert.ok(!listed.includes('$2y$') && !listed.includes(Buffer.from(HASH).toString('base64')));
  }),
  row(
    'verify-password',
    'VerifyPassword says verified, and not_found for a person who is not there.',
    async ({ call }) => {
      const verify = (email: string, password: string): Promise<Json> => call('VerifyPassword', { email, password });
      assert.deepEqual(await verify('ZOE@example.com', 'password'), { verified: true, not_found: false });
      assert.deepEqual(await verify('zoe@example.com', 'wrong'), { verified: false, not_found: false });
      assert.deepEqual(await verify('nobody@example.com', 'password'), { verified: false, not_found: true });
    },
  ),
];

const OTHERS: readonly Row[] = [
  {
    ...row('version', 'GetVersion says the version of the server and of the API, which is 4.', async ({ call }) => {
      const version = await call('GetVersion');
      assert.match(String(version['server']), /^\d+\.\d+\.\d+/);
      assert.equal(version['api'], 4);
    }),
    dex: '2.45 says 3; later versions 4.',
    follows: 'head',
  },
  row('discovery', 'GetDiscovery says what the discovery document says.', async ({ identity, call }) => {
    const answer = await call('GetDiscovery');
    const document = (await (await identity.fetch('/dex/.well-known/openid-configuration')).json()) as Json;
    assert.equal(answer['issuer'], ISSUER);
    for (const [name, value] of Object.entries(answer)) assert.deepEqual(value, document[name], name);
  }),
  row(
    'list-refresh',
    'ListRefresh lists the refresh tokens of a person, who is named by the sub.',
    async ({ identity, call }) => {
      const tokens = await loginForTokens(identity, { scope: 'openid offline_access' });
      const user_id = String(claimsOf(tokens.id_token)['sub']);
      const { refresh_tokens: listed } = (await call('ListRefresh', { user_id })) as { refresh_tokens: Json[] };
      assert.ok(listed.length > 0);
      for (const one of listed) assert.equal(one['client_id'], 'app');
      assert.ok(!JSON.stringify(listed).includes(tokens.refresh_token ?? '?'));
      await refused(call('ListRefresh', { user_id: 'not a subject' }), 3, /sub/);
    },
  ),
  row(
    'revoke-refresh',
    'RevokeRefresh ends what a person has at a client, and says not_found where there is nothing.',
    async ({ identity, call }) => {
      const code = await loginForCode(identity, { scope: 'openid offline_access' });
      const tokens = (await (await redeem(identity, code)).json()) as Tokens;
      const user_id = String(claimsOf(tokens.id_token)['sub']);
      assert.deepEqual(await call('RevokeRefresh', { user_id, client_id: 'other' }), { not_found: true });
      assert.deepEqual(await call('RevokeRefresh', { user_id, client_id: 'app' }), { not_found: false });
      const form = { grant_type: 'refresh_token', refresh_token: tokens.refresh_token ?? '' };
      assert.equal((await identity.post('/dex/token', form, basic('app', 's3cret'))).status, 400);
    },
  ),
];

const heldRow = (id: string, fact: string, ...by: readonly HeldBy[]): Row => held({ id, fact, stand: 'kept', by });
const LATER = { dex: '2.45 does not have them; later versions as here.', follows: 'head' } as const;

const HELD: readonly Row[] = [
  heldRow('connectors-off', 'The methods about connectors answer with an error where API_CONNECTORS_CRUD is off.', [
    CONNECTORS,
    'with Dex’s switch off every method answers as Dex does, and nothing is stored',
  ]),
  heldRow('connectors', 'Where it is on, connectors are created, listed, changed and deleted, and in use at once.', [
    CONNECTORS,
    'a connector is created, offered, used, renamed, exchanged for another type, tied to grants and deleted, all at once',
    'stored connectors are listed as they were given, those of the file without settings',
    'connectors of the file win, and can be neither changed nor taken over',
  ]),
  {
    ...heldRow(
      'sessions',
      'Where API_SESSIONS_IDENTITIES_CRUD is on, sessions are found, listed and ended, one by one, of a person, of a connector.',
      [
        SESSIONS,
        'with Dex’s switch off every method answers as Dex does',
        'each browser is one session, by the sid of its tokens, with nothing in it that would open it',
        'a session is ended as a logout in its browser would: others stay, the client is told, its tokens end',
        'all sessions of a person or of a connector end; of callers at once each is counted by one',
      ],
    ),
    ...LATER,
  },
  {
    ...heldRow('identities', 'The same switch gives the methods about people: found, listed, forgotten.', [
      SESSIONS,
      'people are known by their sessions and refresh tokens, and forgotten with everything that lets them in',
    ]),
    ...LATER,
  },
  held({
    id: 'second-factors',
    fact: 'Methods about second factors answer UNIMPLEMENTED, and RevokeConsent not_found.',
    stand: 'absent',
    dex: '2.45 does not have them; later versions keep second factors and approvals.',
    follows: 'release',
    why: 'There are no second factors here, and no approval is remembered.',
    by: [[SESSIONS, 'what is not kept is said: no approval is remembered, and there is no second factor']],
  }),
  held({
    id: 'later-client-fields',
    fact: 'Clients have allowed_connectors, sso_shared_with, logout addresses and refresh_token_lifetime under Dex’s numbers.',
    stand: 'kept',
    dex: '2.45 has fields 1 to 7; later versions as here.',
    follows: 'head',
    by: [
      [API, 'a client has what clients of the file have: connectors, sharing, logout, the life of its refresh tokens'],
    ],
  }),
  held({
    id: 'mutual-tls',
    fact: 'Without tlsClientCA the API is served on loopback alone, and only where the file says so; otherwise to callers with a certificate.',
    stand: 'safer',
    dex: 'Serves whoever reaches the port, unless tlsClientCA is set.',
    why: 'Whoever speaks to it decides who may log in.',
    by: [
      [
        API,
        'whoever has no certificate of the authority is not spoken to',
        'without an authority for callers it is served on loopback alone, and only where the file says so',
      ],
    ],
  }),
  heldRow('reflection', 'With grpc.reflection clients without the file find the service and its messages.', [
    'src/api/reflection.attack.test.ts',
    'it is there only where the file says so',
    'what reflection gives away is the file in the documentation',
  ]),
];

export const MANAGEMENT_API: Section = {
  id: '2.16',
  title: 'The management API',
  rows: [...CLIENTS, ...PASSWORDS, ...OTHERS, ...HELD],
};
