/** The management API with the clients that other programs have: grpc-js and the proto file that we give them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:http2';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { credentials } from '@grpc/grpc-js';
import type { ChannelCredentials } from '@grpc/grpc-js';
import { createDexApiClients, refused } from '../../test/dex-api-client.ts';
import type { Call, Json } from '../../test/dex-api-client.ts';
import { basic, HASH, loginForCode, openLogin, redeem, startTestIdentity, USERS } from '../../test/test-identity.ts';
import type { TestIdentity, Tokens } from '../../test/test-identity.ts';
import { parseConfig } from '../config/parse-config.ts';

const clients = createDexApiClients();
const directory = mkdtempSync(path.join(tmpdir(), 'dex-api-'));
const at = (name: string): string => path.join(directory, name);
const read = (name: string): Buffer => readFileSync(at(name));

/** An authority, and what it signs: two for the server, one for a caller. */
function issue(authority: string, names: readonly string[]): void {
  const run = (args: readonly string[]): unknown =>
    execFileSync('openssl', [...args], { cwd: directory, stdio: 'ignore' });
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  run([
    'req',
    '-x509',
    ...key,
    '-keyout',
    `${authority}.key`,
    '-out',
    `${authority}.crt`,
    '-subj',
    `/CN=${authority}`,
    '-days',
    '2',
  ]);
  writeFileSync(at('extensions'), 'subjectAltName=DNS:localhost,IP:127.0.0.1');
  for (const name of names) {
    run(['req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`]);
    const by = ['-CA', `${authority}.crt`, '-CAkey', `${authority}.key`, '-CAcreateserial', '-extfile', 'extensions'];
    run(['x509', '-req', '-in', `${name}.csr`, '-out', `${name}.crt`, '-days', '2', ...by]);
  }
}

let identity: TestIdentity;
let call: Call;
before(async () => {
  issue('authority', ['server', 'admin']);
  issue('stranger', ['impostor']);
  identity = await startTestIdentity({
    config: USERS,
    more: `grpc: {addr: "127.0.0.1:0", tlsCert: ${at('server.crt')}, tlsKey: ${at('server.key')}, tlsClientCA: ${at('authority.crt')}}`,
  });
  call = callerWith(credentials.createSsl(read('authority.crt'), read('admin.key'), read('admin.crt')));
});
after(async () => {
  clients.close();
  await identity.stop();
  rmSync(directory, { recursive: true });
});

const callerWith = (how: ChannelCredentials): Call => clients.at(identity.grpc, how);

test('whoever has no certificate of the authority is not spoken to', async () => {
  const strangers = [
    credentials.createInsecure(),
    credentials.createSsl(read('authority.crt')),
    credentials.createSsl(read('authority.crt'), read('impostor.key'), read('impostor.crt')),
  ];
  for (const how of strangers) await assert.rejects(callerWith(how)('GetVersion'), { code: 14 });
  assert.deepEqual(await call('GetVersion'), { server: '0.1.0', api: 4 });
});

test('without an authority for callers it is served on loopback alone, and only where the file says so', async (t) => {
  const frame = 'issuer: https://a/dex\nstorage: {type: memory}\nweb: {http: 127.0.0.1:0}\nenablePasswordDB: true\n';
  const judged = async (grpc: string): Promise<string> => {
    const { config, problems, warnings } = await parseConfig(`${frame}grpc: {${grpc}}`, {});
    return problems.length > 0 ? 'mistake' : config?.grpc !== undefined ? 'served' : `${warnings.length} warnings`;
  };
  const insecure = 'insecureWithoutClientCertificates: true';
  assert.equal(await judged('addr: 0.0.0.0:5557'), '1 warnings');
  assert.equal(await judged('addr: 127.0.0.1:5557'), '1 warnings');
  assert.equal(await judged('addr: 0.0.0.0:5557, tlsCert: a, tlsKey: b'), '1 warnings');
  assert.equal(await judged(`addr: 0.0.0.0:5557, ${insecure}`), 'mistake');
  assert.equal(await judged(`addr: "127.0.0.1.evil.example:5557", ${insecure}`), 'mistake');
  assert.equal(await judged(`addr: 127.0.0.1:5557, ${insecure}`), 'served');
  assert.equal(await judged('addr: 0.0.0.0:5557, tlsCert: a, tlsKey: b, tlsClientCA: c'), 'served');
  for (const wrong of ['tlsCert: a', 'addr: 0.0.0.0:1, tlsCert: a', 'addr: 0.0.0.0:1, tlsClientCA: c'])
    assert.equal(await judged(wrong), 'mistake');
  const plain = await startTestIdentity({ more: `grpc: {addr: "127.0.0.1:0", ${insecure}}` });
  t.after(() => plain.stop());
  const version = await clients.at(plain.grpc)('GetVersion');
  assert.equal(version['api'], 4);
});

test('a client is created, found, changed, listed without its secret, used, deleted', async () => {
  const created = await call('CreateClient', { client: { name: 'Made', redirect_uris: ['/made'] } });
  const client = created['client'] as { readonly id: string; readonly secret: string };
  assert.equal(created['already_exists'], false);
  assert.ok(client.id.length >= 16 && client.secret.length >= 32);
  const { id } = client;
  assert.deepEqual(await call('GetClient', { id }), { client });
  assert.equal((await call('CreateClient', { client: { id, name: 'x' } }))['already_exists'], true);
  assert.deepEqual(await call('UpdateClient', { id, redirect_uris: ['/new'] }), { not_found: false });
  const code = await loginForCode(identity, { client_id: id, redirect_uri: '/new' });
  const form = { grant_type: 'authorization_code', code, redirect_uri: '/new' };
  assert.equal((await identity.post('/dex/token', form, basic(id, client.secret))).status, 200);
  const { clients } = (await call('ListClients')) as { readonly clients: readonly Json[] };
  assert.equal(clients.find((one) => one['id'] === id)?.['name'], 'Made');
  assert.ok(clients.some((one) => one['id'] === 'app'));
  assert.ok(!JSON.stringify(clients).includes(client.secret) && !JSON.stringify(clients).includes('s3cret'));
  assert.deepEqual(await call('DeleteClient', { id }), { not_found: false });
  assert.deepEqual(await call('DeleteClient', { id }), { not_found: true });
  await refused(call('GetClient', { id }), 5, /not found/);
});

test('a client has what clients of the file have: connectors, sharing, logout, the life of its refresh tokens', async () => {
  const fields = {
    allowed_connectors: ['elsewhere'],
    sso_shared_with: ['app'],
    backchannel_logout_uri: 'https://rich.example.com/logout',
    post_logout_redirect_uris: ['/bye'],
    refresh_token_lifetime: 'session',
  };
  const client = { id: 'rich', secret: 's', name: 'Rich', redirect_uris: ['/rich'], ...fields };
  await call('CreateClient', { client });
  const found = (await call('GetClient', { id: 'rich' }))['client'] as Json;
  for (const [name, value] of Object.entries(fields)) assert.deepEqual(found[name], value, name);
  // In force at once: the connector that everybody else may use is not for this one.
  const asked = new URLSearchParams({
    client_id: 'rich',
    redirect_uri: '/rich',
    response_type: 'code',
    scope: 'openid',
  });
  const refusal = await identity.fetch(`/dex/auth/local?${asked.toString()}`);
  assert.match(refusal.headers.get('location') ?? '', /^\/rich\?error=/);
  await refused(call('CreateClient', { client: { ...client, refresh_token_lifetime: 'for ever' } }), 3, /standalone/);
  await refused(call('CreateClient', { client: { ...client, backchannel_logout_uri: 'file:///etc' } }), 3, /no http/);
  const changes = { allowed_connectors: ['local'], backchannel_logout_uri: '', refresh_token_lifetime: '' };
  await call('UpdateClient', { id: 'rich', ...changes });
  const { clients: listed } = (await call('ListClients')) as { readonly clients: readonly Json[] };
  const { secret: _secret, ...info } = {
    ...client,
    ...fields,
    ...changes,
    public: false,
    trusted_peers: [],
    logo_url: '',
  };
  assert.deepEqual(
    listed.find((one) => one['id'] === 'rich'),
    info,
  );
  await call('UpdateClient', { id: 'rich', name: 'Poor' });
  const after = (await call('GetClient', { id: 'rich' }))['client'] as Json;
  assert.deepEqual([after['name'], after['sso_shared_with']], ['Poor', ['app']]);
  await refused(call('UpdateClient', { id: 'rich', refresh_token_lifetime: 'for ever' }), 3, /standalone/);
  await refused(call('UpdateClient', { id: 'rich', backchannel_logout_uri: 'file:///etc' }), 3, /no http/);
  await call('DeleteClient', { id: 'rich' });
});

test('clients and people of the file cannot be changed or taken over', async () => {
  assert.equal((await call('CreateClient', { client: { id: 'app', secret: 'mine' } }))['already_exists'], true);
  await refused(call('UpdateClient', { id: 'app', redirect_uris: ['https://evil.example'] }), 9, /configuration file/);
  await refused(call('DeleteClient', { id: 'app' }), 9, /configuration file/);
  const password = { email: 'ADMIN@kubeflow.org', hash: Buffer.from(HASH), username: 'x', user_id: 'x' };
  assert.equal((await call('CreatePassword', { password }))['already_exists'], true);
  await refused(call('UpdatePassword', { email: 'Admin@kubeflow.org', new_username: 'x' }), 9, /configuration file/);
  await refused(call('DeletePassword', { email: 'admin@kubeflow.org' }), 9, /configuration file/);
});

test('a person is created, logs in, is verified, changed, listed without the hash, deleted', async () => {
  const password = { email: 'New@example.com', hash: Buffer.from(HASH), username: 'new', user_id: 'n1' };
  assert.deepEqual(await call('CreatePassword', { password }), { already_exists: false });
  assert.deepEqual(await call('CreatePassword', { password }), { already_exists: true });
  const logIn = async (): Promise<number> =>
    (await identity.post(await openLogin(identity), { login: 'new@example.com', password: 'password' })).status;
  assert.equal(await logIn(), 303);
  const verify = (email: string, word: string): Promise<Json> => call('VerifyPassword', { email, password: word });
  assert.deepEqual(await verify('new@EXAMPLE.com', 'password'), { verified: true, not_found: false });
  assert.deepEqual(await verify('new@example.com', 'wrong'), { verified: false, not_found: false });
  assert.deepEqual(await verify('admin@kubeflow.org', 'password'), { verified: true, not_found: false });
  assert.deepEqual(await verify('nobody@example.com', 'x'), { verified: false, not_found: true });
  const listed = JSON.stringify(await call('ListPasswords'));
  assert.match(listed, /new@example\.com.*n1/);
  assert.ok(!listed.includes('$2y$') && !listed.includes(Buffer.from(HASH).toString('base64')));
  const other = '$2b$10$K7L1OJ45/4Y2nIvhRVpCe.FSmhDdWoXehVzJptJ/op0lSsvqNu/1u';
  assert.deepEqual(await call('UpdatePassword', { email: 'new@example.com', new_hash: Buffer.from(other) }), {
    not_found: false,
  });
  assert.equal(await logIn(), 401);
  assert.deepEqual(await call('DeletePassword', { email: 'new@example.com' }), { not_found: false });
  assert.deepEqual(await call('UpdatePassword', { email: 'new@example.com', new_username: 'x' }), { not_found: true });
});

test('bad input is named and nothing is stored', async () => {
  const good = { email: 'b@example.com', hash: Buffer.from(HASH), username: 'b', user_id: 'b' };
  const cases: readonly (readonly [string, Json, RegExp])[] = [
    ['CreatePassword', {}, /no password/],
    ['CreatePassword', { password: { ...good, email: '' } }, /no email/],
    ['CreatePassword', { password: { ...good, user_id: '' } }, /no user_id/],
    ['CreatePassword', { password: { ...good, username: '' } }, /no username/],
    ['CreatePassword', { password: { ...good, hash: Buffer.from('plain') } }, /bcrypt/],
    ['CreatePassword', { password: { ...good, hash: Buffer.from(HASH.replace('$10$', '$04$')) } }, /cost 4/],
    ['CreatePassword', { password: { ...good, hash: Buffer.from(HASH.replace('$10$', '$31$')) } }, /cost 31/],
    ['UpdatePassword', { email: 'b@example.com' }, /nothing to update/],
    ['CreateClient', {}, /no client/],
    ['CreateClient', { client: { id: 'x'.repeat(300) } }, /too long/],
    ['ListRefresh', { user_id: 'not a subject' }, /sub/],
    ['RevokeRefresh', { user_id: 'CgEyEgVsb2NhbA' }, /client_id/],
    ['VerifyPassword', { email: 'b@example.com' }, /no password/],
  ];
  for (const [method, request, words] of cases) await refused(call(method, request), 3, words);
  assert.doesNotMatch(JSON.stringify(await call('ListPasswords')), /b@example/);
});

test('refresh tokens are listed and revoked by the sub of the person', async () => {
  const offline = { scope: 'openid offline_access' };
  const tokens: Tokens[] = [];
  for (let count = 0; count < 2; count += 1)
    tokens.push((await (await redeem(identity, await loginForCode(identity, offline))).json()) as Tokens);
  const payload = Buffer.from(tokens[0]?.id_token.split('.')[1] ?? '', 'base64url').toString();
  const { sub: user_id } = JSON.parse(payload) as { readonly sub: string };
  const { refresh_tokens: listed } = (await call('ListRefresh', { user_id })) as { readonly refresh_tokens: Json[] };
  assert.equal(listed.length, 2);
  assert.ok(listed.every((one) => one['client_id'] === 'app' && Number(one['created_at']) > 1_600_000_000));
  const form = { grant_type: 'refresh_token', refresh_token: tokens[0]?.refresh_token ?? '' };
  identity.now += 60_000;
  assert.equal((await identity.post('/dex/token', form, basic('app', 's3cret'))).status, 200);
  const { refresh_tokens: later } = (await call('ListRefresh', { user_id })) as { readonly refresh_tokens: Json[] };
  const moved = later.filter((one) => Number(one['last_used']) === Math.floor(identity.now / 1000));
  assert.equal(moved.length, 1, 'the one that was used says when');
  assert.deepEqual(await call('RevokeRefresh', { user_id, client_id: 'other' }), { not_found: true });
  assert.deepEqual(await call('RevokeRefresh', { user_id, client_id: 'app' }), { not_found: false });
  assert.deepEqual(await call('ListRefresh', { user_id }), { refresh_tokens: [] });
  for (const { refresh_token = '' } of tokens) {
    const form = { grant_type: 'refresh_token', refresh_token };
    assert.equal((await identity.post('/dex/token', form, basic('app', 's3cret'))).status, 400);
  }
});

test('discovery says what the document says', async () => {
  const answer = await call('GetDiscovery');
  const document = (await (await identity.fetch('/dex/.well-known/openid-configuration')).json()) as Json;
  for (const [name, value] of Object.entries(answer)) assert.deepEqual(value, document[name], name);
});

/** What no well-behaved client sends. */
async function raw(headers: Record<string, string>, body: Buffer): Promise<string> {
  const tls = { ca: read('authority.crt'), key: read('admin.key'), cert: read('admin.crt') };
  const session = connect(`https://127.0.0.1:${identity.grpc}`, tls);
  try {
    const stream = session.request({ ':method': 'POST', 'content-type': 'application/grpc', ...headers });
    return await new Promise((resolve, reject) => {
      stream.on('response', (answer) => 'grpc-status' in answer && resolve(String(answer['grpc-status'])));
      stream.on('trailers', (answer) => resolve(String(answer['grpc-status'])));
      stream.on('error', reject);
      stream.on('close', () => resolve('closed without an answer'));
      stream.end(body);
    });
  } finally {
    session.destroy();
  }
}

test('broken, compressed, oversized and unknown calls are refused, and the server goes on', async () => {
  const frame = (message: Buffer, flag = 0): Buffer => {
    const prefix = Buffer.alloc(5);
    prefix[0] = flag;
    prefix.writeUInt32BE(message.length, 1);
    return Buffer.concat([prefix, message]);
  };
  const create = { ':path': '/api.Dex/CreateClient' };
  assert.equal(await raw(create, Buffer.alloc(0)), '3');
  assert.equal(await raw(create, frame(Buffer.from([0x0a, 0xff]))), '3');
  assert.equal(await raw(create, frame(Buffer.alloc(2), 1)), '3');
  assert.equal(await raw(create, Buffer.concat([frame(Buffer.alloc(2)), Buffer.alloc(3)])), '3');
  assert.equal(await raw(create, frame(Buffer.alloc(300_000))), '3');
  // Fields that a newer client has: number, 8 bytes, text and 4 bytes under 99, 98, 97, 96; a group is not proto3's.
  const newer = Buffer.from('980601910607070707070707078a0602aaff850607070707', 'hex');
  assert.equal(await raw({ ':path': '/api.Dex/GetVersion' }, frame(newer)), '0');
  assert.equal(await raw({ ':path': '/api.Dex/GetVersion' }, frame(newer.subarray(0, -1))), '3');
  assert.equal(await raw({ ':path': '/api.Dex/GetVersion' }, frame(Buffer.from([0x0b, 0x0c]))), '3');
  assert.equal(await raw({ ':path': '/api.Dex/__proto__' }, frame(Buffer.alloc(0))), '12');
  assert.equal(
    await raw({ ':path': '/api.Dex/GetVersion', 'content-type': 'application/json' }, frame(Buffer.alloc(0))),
    '12',
  );
  assert.equal((await call('GetVersion'))['api'], 4);
});

test('the log tells who changed what, and no secret', async () => {
  await call('CreateClient', { client: { id: 'logged', secret: 'very-secret-value' } });
  assert.ok(identity.log.some((line) => line.includes('client created') && line.includes('logged')));
  assert.ok(!identity.log.some((line) => line.includes('very-secret-value')));
  assert.ok(identity.log.some((line) => line.includes('/api.Dex/CreateClient') && line.includes('"admin"')));
});
