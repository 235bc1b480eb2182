/** Connectors through the management API with grpc-js: what they do for people who log in, and what an attacker makes of them. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import { delay } from '@kfctl/core';
import { createDexApiClients, refused } from '../../test/dex-api-client.ts';
import type { Call, Json } from '../../test/dex-api-client.ts';
import { authUrl, basic, locationOf, redeem, startTestIdentity, USERS } from '../../test/test-identity.ts';
import type { TestIdentity, TestOptions, Tokens } from '../../test/test-identity.ts';
import { openSqliteStorage } from '../storage/sqlite/sqlite-storage.ts';

const clients = createDexApiClients();
after(() => clients.close());

const GRPC = 'grpc: {addr: "127.0.0.1:0", insecureWithoutClientCertificates: true}';
const ON = { DEX_API_CONNECTORS_CRUD: 'true' };
const FILE = `${USERS}connectors:\n- {type: mockCallback, id: filed, name: Filed}\n`;

interface Setting {
  readonly identity: TestIdentity;
  readonly call: Call;
}

async function start(t: TestContext, options: TestOptions = {}): Promise<Setting> {
  const identity = await startTestIdentity({ config: FILE, more: GRPC, env: ON, ...options });
  t.after(() => identity.stop());
  return { identity, call: clients.at(identity.grpc) };
}

const bytes = (config: unknown): Buffer => Buffer.from(JSON.stringify(config));
const MOCK = { id: 'made', type: 'mockCallback', name: 'Made <b>', config: bytes({}) };
const PERSON = { username: 'ada', password: 'correct horse' };
const MOCK_PASSWORD = { id: 'pass', type: 'mockPassword', name: 'Pass', config: bytes(PERSON) };

const choices = async (identity: TestIdentity): Promise<string> =>
  await (await identity.fetch(authUrl({}, '/dex/auth'))).text();

/** Walks through a connector that comes straight back. */
async function logInBy(identity: TestIdentity, id: string, scope = 'openid'): Promise<Response> {
  const begun = await identity.fetch(authUrl({ scope }, `/dex/auth/${id}`));
  return begun.status === 302 ? await identity.fetch(locationOf(begun).pathname + locationOf(begun).search) : begun;
}

test('with Dex’s switch off every method answers as Dex does, and nothing is stored', async (t) => {
  const { identity, call } = await start(t, { env: { DEX_API_CONNECTORS_CRUD: 'no' } });
  const calls = [
    call('CreateConnector', { connector: MOCK }),
    call('UpdateConnector', { id: 'made', new_name: 'x' }),
    call('DeleteConnector', { id: 'made' }),
    call('ListConnectors'),
  ];
  for (const one of calls) await refused(one, 2, /^api_connectors_crud feature flag is not enabled$/);
  assert.equal((await identity.fetch(authUrl({}, '/dex/auth/made'))).status, 400);
});

test('a connector is created, offered, used, renamed, exchanged for another type, tied to grants and deleted, all at once', async (t) => {
  const { identity, call } = await start(t);
  assert.deepEqual(await call('CreateConnector', { connector: MOCK }), { already_exists: false });
  assert.match(await choices(identity), /Made &lt;b&gt;/);
  const code = locationOf(await logInBy(identity, 'made')).searchParams.get('code') ?? '';
  assert.equal((await redeem(identity, code)).status, 200);
  assert.deepEqual(await call('UpdateConnector', { id: 'made', new_name: 'Renamed' }), { not_found: false });
  assert.match(await choices(identity), /Renamed/);
  const exchange = { id: 'made', new_type: 'mockPassword', new_config: MOCK_PASSWORD.config };
  assert.deepEqual(await call('UpdateConnector', exchange), { not_found: false });
  const form = locationOf(await identity.fetch(authUrl({}, '/dex/auth/made')));
  assert.match(form.pathname, /login$/);
  const typed = { login: PERSON.username, password: PERSON.password };
  assert.equal((await identity.post(form.pathname + form.search, typed)).status, 303);
  const tie = { id: 'made', new_grant_types: { grant_types: ['password'] } };
  await call('UpdateConnector', tie);
  assert.doesNotMatch(await choices(identity), /Renamed/);
  await call('UpdateConnector', { id: 'made', new_grant_types: { grant_types: [] } });
  assert.match(await choices(identity), /Renamed/);
  assert.deepEqual(await call('DeleteConnector', { id: 'made' }), { not_found: false });
  assert.deepEqual(await call('DeleteConnector', { id: 'made' }), { not_found: true });
  assert.deepEqual(await call('UpdateConnector', { id: 'made', new_name: 'x' }), { not_found: true });
  assert.equal((await identity.fetch(authUrl({}, '/dex/auth/made'))).status, 400);
});

test('stored connectors are listed as they were given, those of the file without settings', async (t) => {
  const { call } = await start(t);
  await call('CreateConnector', { connector: { ...MOCK_PASSWORD, grant_types: ['password'] } });
  const { connectors } = (await call('ListConnectors')) as { readonly connectors: readonly Json[] };
  assert.deepEqual(
    connectors.map(({ id, type }) => [id, type]),
    [
      ['filed', 'mockCallback'],
      ['local', 'local'],
      ['pass', 'mockPassword'],
    ],
  );
  assert.deepEqual(connectors[2], { ...MOCK_PASSWORD, grant_types: ['password'] });
  assert.deepEqual(connectors[0]?.['config'], Buffer.alloc(0));
});

test('connectors of the file win, and can be neither changed nor taken over', async (t) => {
  const { identity, call } = await start(t);
  for (const id of ['filed', 'local']) {
    const evil = { ...MOCK_PASSWORD, id };
    assert.deepEqual(await call('CreateConnector', { connector: evil }), { already_exists: true });
    await refused(call('UpdateConnector', { id, new_name: 'Evil' }), 9, /configuration file/);
    await refused(call('DeleteConnector', { id }), 9, /configuration file/);
  }
  assert.match(await choices(identity), /Filed/);
});

test('mistakes are named, and nothing is stored', async (t) => {
  const { call } = await start(t);
  const ldap = { host: 'h', userSearch: { baseDN: 'dc=x', username: 'uid', idAttr: 'uid', emailAttr: 'mail' } };
  const deep = `${'['.repeat(50)}${']'.repeat(50)}`;
  const cases: readonly (readonly [Json, RegExp])[] = [
    [{ id: '' }, /no id supplied/],
    [{ type: '' }, /no type supplied/],
    [{ name: '' }, /no name supplied/],
    [{ config: Buffer.alloc(0) }, /no config supplied/],
    [{ config: Buffer.from('{') }, /not JSON/],
    [{ config: Buffer.from('{"a":'.repeat(20_000)) }, /not JSON/],
    [{ config: Buffer.from(`{"a":${deep}}`) }, /cannot|not JSON/],
    [{ config: bytes([]) }, /config/],
    [{ config: bytes({ surprise: 1 }) }, /config\.surprise is not a key that is known here\. None are\./],
    [{ config: bytes({ 'ü%41': 1 }) }, /config\.ü%41 is not a key/],
    [{ type: 'nonsense' }, /type is "nonsense".*Known: ldap/],
    [{ type: '__proto__' }, /type is/],
    [
      { type: 'ldap', config: bytes({ ...ldap, hosst: 'x', host: '' }) },
      /config\.host.*config\.hosst.*"host"|config\.hosst.*config\.host/,
    ],
    [{ type: 'mockPassword', config: bytes({ username: 'a' }) }, /config\.password is required/],
    [{ grant_types: ['magic'] }, /grantTypes holds "magic"/],
    [{ id: 'x'.repeat(101) }, /too long/],
    [{ name: 'a\r\nb' }, /control characters/],
    [{ config: bytes(Object.fromEntries(Array.from({ length: 5000 }, (_, n) => [`k${n}`, 1]))) }, /config\.k0/],
  ];
  for (const [change, words] of cases)
    await refused(call('CreateConnector', { connector: { ...MOCK, ...change } }), 3, words);
  await refused(call('CreateConnector'), 3, /no connector supplied/);
  await call('CreateConnector', { connector: MOCK });
  await refused(call('UpdateConnector', { id: 'made' }), 3, /nothing to update/);
  await refused(call('UpdateConnector', { id: '', new_name: 'x' }), 3, /no id/);
  await refused(call('UpdateConnector', { id: 'made', new_type: 'ldap' }), 3, /config\.host is required/);
  await refused(call('UpdateConnector', { id: 'made', new_config: Buffer.from('nope') }), 3, /not JSON/);
  await refused(call('UpdateConnector', { id: 'made', new_grant_types: { grant_types: ['magic'] } }), 3, /magic/);
  const { connectors } = (await call('ListConnectors')) as { readonly connectors: readonly Json[] };
  assert.deepEqual(connectors.at(-1), { ...MOCK, grant_types: [] });
});

test('settings cannot read the environment of the process, and no secret of theirs is logged', async (t) => {
  const { identity, call } = await start(t, { env: { ...ON, PROBE: 'from-the-environment' } });
  const config = bytes({ username: '$PROBE', password: 'unique-secret-1${PROBE}' });
  await call('CreateConnector', { connector: { ...MOCK_PASSWORD, config } });
  const tryLogin = async (login: string, password: string): Promise<number> => {
    const form = locationOf(await identity.fetch(authUrl({}, '/dex/auth/pass')));
    return (await identity.post(form.pathname + form.search, { login, password })).status;
  };
  assert.equal(await tryLogin('from-the-environment', 'unique-secret-1from-the-environment'), 401);
  assert.equal(await tryLogin('$PROBE', 'unique-secret-1${PROBE}'), 303);
  const wrong = {
    ...MOCK_PASSWORD,
    id: 'w',
    config: bytes({ username: 'a', password: 'unique-secret-2', x: 'unique-secret-3' }),
  };
  await refused(call('CreateConnector', { connector: wrong }), 3, /config\.x/);
  assert.ok(identity.log.some((line) => line.includes('connector created') && line.includes('"pass"')));
  assert.ok(!identity.log.some((line) => line.includes('unique-secret')));
});

test('a connector that cannot be opened says so on its page, the log says why, and a change mends it', async (t) => {
  const { identity, call } = await start(t);
  const search = { userSearch: { baseDN: 'dc=x', username: 'uid', idAttr: 'uid', emailAttr: 'mail' } };
  const config = { host: 'ldap.example.com:636', rootCA: '/nonexistent/ca.pem', ...search };
  await call('CreateConnector', { connector: { id: 'ldap', type: 'ldap', name: 'LDAP', config: bytes(config) } });
  const page = await identity.fetch(authUrl({}, '/dex/auth/ldap'));
  assert.equal(page.status, 400);
  const text = await page.text();
  assert.match(text, /Connector failed to initialize\./);
  assert.doesNotMatch(text, /nonexistent/);
  assert.ok(identity.log.some((line) => line.includes('connector cannot be opened') && line.includes('nonexistent')));
  await call('UpdateConnector', { id: 'ldap', new_config: bytes({ host: 'ldap.example.com:636', ...search }) });
  assert.equal((await identity.fetch(authUrl({}, '/dex/auth/ldap'))).status, 302);
});

test('of 20 that create the same id one does, and of changes at once none is lost', async (t) => {
  const { identity, call } = await start(t);
  const makers = Array.from({ length: 20 }, (_, n) =>
    call('CreateConnector', { connector: { ...MOCK, name: `N${n}` } }),
  );
  const made = await Promise.all(makers);
  assert.equal(made.filter((answer) => answer['already_exists'] === false).length, 1);
  const more = Array.from({ length: 4 }, () => clients.at(identity.grpc));
  await Promise.all(more.map((one, n) => one('UpdateConnector', { id: 'made', new_name: `M${n}` })));
  await call('UpdateConnector', { id: 'made', new_name: 'Last' });
  const versions = identity.log.filter((line) => line.includes('"msg":"connector changed"'));
  assert.match(versions.at(-1) ?? '', /"version":"6"/);
});

test('a connector that is deleted while somebody logs in ends that login with a page, not with a failure', async (t) => {
  const { identity, call } = await start(t);
  await call('CreateConnector', { connector: MOCK });
  await call('CreateConnector', { connector: MOCK_PASSWORD });
  const back = locationOf(await identity.fetch(authUrl({}, '/dex/auth/made')));
  const form = locationOf(await identity.fetch(authUrl({}, '/dex/auth/pass')));
  const done = locationOf(await logInBy(identity, 'made', 'openid offline_access'));
  const held = (await (await redeem(identity, done.searchParams.get('code') ?? '')).json()) as Tokens;
  await call('DeleteConnector', { id: 'made' });
  await call('DeleteConnector', { id: 'pass' });
  assert.equal((await identity.fetch(back.pathname + back.search)).status, 400);
  const typed = { login: PERSON.username, password: PERSON.password };
  assert.equal((await identity.post(form.pathname + form.search, typed)).status, 400);
  const refresh = { grant_type: 'refresh_token', refresh_token: held.refresh_token ?? '' };
  const again = async (): Promise<number> =>
    (await identity.post('/dex/token', refresh, basic('app', 's3cret'))).status;
  // Kept, as while a connector cannot be reached: another replica may only not know of it yet.
  assert.equal(await again(), 500);
  await call('CreateConnector', { connector: MOCK });
  assert.equal(await again(), 200);
});

test('200 connectors are kept and listed', async (t) => {
  const { identity, call } = await start(t);
  await Promise.all(
    Array.from({ length: 200 }, (_, n) =>
      call('CreateConnector', { connector: { ...MOCK, id: `c${n}`, name: `C${n}` } }),
    ),
  );
  assert.equal(((await call('ListConnectors'))['connectors'] as readonly Json[]).length, 202);
  assert.equal((await choices(identity)).match(/\/dex\/auth\/c\d+\?/g)?.length, 200);
});

test('replicas on one storage agree, what was stored before carries over, and the file may name no connector at all', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'connectors-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const file = path.join(directory, 'identity.db');
  const before = openSqliteStorage(file);
  const old = { id: 'old', type: 'mockCallback', name: 'Old', resourceVersion: '', grantTypes: [] };
  const config = Buffer.from('{}').toString('base64');
  const strange = Buffer.from('{"leftOver": true, "secret": "do-not-show"}').toString('base64');
  await before.create('connector', 'old', { ...old, config });
  await before.create('connector', 'odd', { ...old, id: 'odd', name: 'Odd', config: strange });
  await before.create('connector', 'etc', { ...old, id: 'etc', name: '', type: 'gone', config: 'AAAA' });
  await before.close();
  const options = { storage: `type: sqlite3, config: {file: "${file}"}`, config: '' };
  const one = await start(t, options);
  const two = await start(t, options);
  assert.equal(locationOf(await logInBy(two.identity, 'old')).searchParams.has('code'), true);
  for (const id of ['odd', 'etc'])
    assert.match(await (await two.identity.fetch(authUrl({}, `/dex/auth/${id}`))).text(), /failed to initialize/);
  assert.ok(two.identity.log.some((line) => line.includes('cannot be understood') && line.includes('config.leftOver')));
  assert.ok(!two.identity.log.some((line) => line.includes('do-not-show')));
  await one.call('CreateConnector', { connector: MOCK });
  await one.call('DeleteConnector', { id: 'odd' });
  // The other replica asks the storage every few seconds.
  for (let page = ''; !page.includes('Made') || page.includes('Odd'); page = await choices(two.identity))
    await delay(50);
  assert.equal(locationOf(await logInBy(two.identity, 'made')).searchParams.has('code'), true);
});
