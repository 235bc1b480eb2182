import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { IdentityConfig } from './config.ts';
import { parseConfig, requireConfig } from './parse-config.ts';
import { renderProblems } from './problems.ts';

const HASH = '$2y$12$4K/VkmDd1q1Orb3xAt82zu8gk7Ad6ReFR4LCP9UeYE90NLiN9Df72';
const BASE = `issuer: http://dex.kubeflow.svc.cluster.local:5556/dex
storage:
  type: memory
web:
  http: 0.0.0.0:5556
enablePasswordDB: true
`;

async function read(text: string, env: Record<string, string> = {}): Promise<IdentityConfig> {
  return await requireConfig(text, env, 'config.yaml');
}

async function mistakes(text: string, env: Record<string, string> = {}): Promise<string> {
  const { problems, config } = await parseConfig(text, env);
  assert.equal(config === undefined, problems.length > 0);
  return renderProblems(text, problems);
}

test('reads the file that Kubeflow ships', async () => {
  const config = await read(
    `${BASE}
telemetry: {http: ':5558'}
logger: {level: debug, format: text}
oauth2: {skipApprovalScreen: true}
staticPasswords:
- email: Admin@Kubeflow.org
  hash: ${HASH}
  username: admin
  userID: 08a8684b-db88-4b73-90a9-3cd1661f5466
staticClients:
- id: kubeflow-authservice-oidc
  redirectURIs: ["/login/oidc"]
  name: 'Dex Login Application'
  secretEnv: OIDC_CLIENT_SECRET
`,
    { OIDC_CLIENT_SECRET: 's3cret' },
  );
  assert.equal(config.basePath, '/dex');
  assert.deepEqual(config.telemetry.http, { host: '', port: 5558 });
  assert.equal(config.staticPasswords[0]?.email, 'admin@kubeflow.org');
  assert.equal(config.staticClients[0]?.secret.reveal(), 's3cret');
  assert.equal(config.oauth2.skipApprovalScreen, true);
  assert.equal(config.expiry.idTokens, 86_400_000);
  assert.equal(config.signer.keysRotationPeriodMs, 21_600_000);
});

test('matches keys in any case and takes numbers and booleans where text is wanted', async () => {
  const config = await read(`ISSUER: https://a/dex
Storage: {TYPE: memory}
web: {HTTP: 127.0.0.1:0, tlsminversion: 1.3}
enablepassworddb: yes
staticpasswords:
- {Email: a@b, hash: "${HASH}", userid: 15841185641784012345, username: on}
`);
  assert.equal(config.staticPasswords[0]?.userId, '15841185641784012345');
  assert.equal(config.staticPasswords[0]?.username, 'on');
  assert.equal(config.web.tlsMinVersion, '1.3');
});

test('expands $VAR in connector and storage settings only', async () => {
  const file = `issuer: https://a/$X
storage: {type: sqlite3, config: {file: "/data/\${NAME}.db"}}
web: {http: ":0"}
connectors:
- {type: mockPassword, id: m, name: "$X", config: {username: "a$X$GONE", password: "$PW"}}
`;
  const config = await read(file, { X: 'x', NAME: 'dex', PW: 'pa$X' });
  assert.equal(config.issuer, 'https://a/$X');
  assert.equal(config.connectors[0]?.name, '$X');
  assert.deepEqual(config.storage, { type: 'sqlite3', file: '/data/dex.db' });
  const connector = await config.connectors[0]?.open({} as never);
  const login = await connector?.password?.login(
    { username: 'ax', password: 'pa$X' },
    { groups: false, offlineAccess: false },
  );
  assert.equal(login?.kind, 'authenticated');
});

test('DEX_EXPAND_ENV=false leaves $ alone', async () => {
  const file = `${BASE}storage2: {}\n`.replace('type: memory', 'type: sqlite3\n  config: {file: $HOME}');
  assert.deepEqual((await read(file, { HOME: '/root', DEX_EXPAND_ENV: 'false' })).storage, {
    type: 'sqlite3',
    file: '$HOME',
  });
});

test('names every mistake at once with its line, a caret and a hint', async () => {
  const text = `issuer: dex
storage:
  type: oracle
web:
  https: nowhere
expiry:
  idTokens: 1d
staticPasswords:
- email: nobody
  hash: $2a$04$abcdefghijklmnopqrstuv
- email: a@b
  hash: $2b$04${HASH.slice(6)}
  userID: [1]
staticClients:
- name: no id
connectors:
- {type: quantum, id: q, name: Q}
`;
  const shown = await mistakes(text);
  for (const expected of [
    'line 1: issuer is not an http or https URL',
    'line 3: storage.type is "oracle"',
    'line 5: web.https is not host:port',
    'line 5: web has neither http nor https',
    'line 7: expiry.idTokens is not a duration',
    '    7 |   idTokens: 1d\n      |             ^',
    'line 9: staticPasswords[0].email is not an e-mail address',
    'line 10: staticPasswords[0].hash is not a bcrypt hash',
    'line 12: staticPasswords[1].hash has bcrypt cost 4; at least 10 is needed',
    'line 13: staticPasswords[1].userID is a list, not string',
    'staticPasswords has no effect while enablePasswordDB is off',
    'line 15: staticClients[0].id is required',
    'line 15: staticClients[0].secret is required',
    'line 17: connectors[0].type is "quantum"',
  ]) {
    assert.ok(shown.includes(expected), `${expected}\n---\n${shown}`);
  }
});

test('names a connectors key that is given twice', async () => {
  const part = 'connectors:\n- {type: mockCallback, id: m, name: M}\n';
  const shown = await mistakes(BASE + part + part);
  assert.match(shown, /^line 9: connectors is given twice/);
  assert.match(shown, /Join both under one "connectors:" key/);
});

test('never shows secrets of the file in its report', async () => {
  const shown = await mistakes(`${BASE}staticClients:
- {name: x, id: [a]}
- id: y
  secret: [hunter2]
  name: {}
staticPasswords:
- email: a@b
  hash: hunter2
`);
  assert.doesNotMatch(shown, /hunter2/);
  assert.match(shown, /hash: \[secret\]/);
});

test('reports missing environment variables by name', async () => {
  const shown = await mistakes(`${BASE}staticPasswords:
- {email: a@b, hashFromEnv: HASH_A}
staticClients:
- {idEnv: ID_A, secretEnv: SECRET_A, name: x}
`);
  for (const name of ['HASH_A', 'ID_A', 'SECRET_A']) assert.match(shown, new RegExp(`names ${name}, which is not set`));
});

test('accepts a base64 hash, as Dex does, and refuses one e-mail address twice', async () => {
  const encoded = Buffer.from(HASH).toString('base64');
  const user = `- {email: a@b, hash: "${encoded}"}\n`;
  const config = await read(`${BASE}staticPasswords:\n${user}`);
  assert.equal(config.staticPasswords[0]?.hash.reveal(), HASH);
  const shown = await mistakes(`${BASE}staticPasswords:\n${user}${user.replace('a@b', 'A@B')}`);
  assert.match(shown, /staticPasswords\[1\].email is the one of staticPasswords\[0\] too/);
});

test('warns about unknown keys and suggests the near one', async () => {
  const { warnings, config } = await parseConfig(`${BASE}oauth2: {skipAprovalScreen: true}\n`, {});
  assert.ok(config);
  assert.match(warnings[0]?.hint ?? '', /skipApprovalScreen/);
});

test('unknown keys are mistakes where the environment says so', async () => {
  const text = `${BASE}oauth2: {skipAprovalScreen: true}\n`;
  assert.equal(await mistakes(text), '');
  assert.match(
    await mistakes(text, { DEX_CONFIG_DISALLOW_UNKNOWN_FIELDS: 'true' }),
    /Did you mean "skipApprovalScreen"/,
  );
});

test('switches of Dex: client_credentials by default, where grants are not listed; $VAR in the signer', async () => {
  const env = { DEX_CLIENT_CREDENTIAL_GRANT_ENABLED_BY_DEFAULT: 'true', ALG: 'ES256' };
  const grants = async (text: string, given: Record<string, string>): Promise<boolean> =>
    (await parseConfig(`${BASE}${text}`, given)).config?.oauth2.grantTypes.has('client_credentials') === true;
  assert.equal(await grants('', env), true);
  assert.equal(await grants('', {}), false);
  assert.equal(await grants('oauth2: {grantTypes: [authorization_code]}\n', env), false);
  const { config } = await parseConfig(`${BASE}signer: {config: {algorithm: $ALG}}\n`, env);
  assert.equal(config?.signer.algorithm, 'ES256');
});

test('what promises a second factor and cannot keep it is refused', async () => {
  assert.match(await mistakes(`${BASE}mfa: {authenticators: [{id: totp, type: TOTP}]}\n`), /mfa is not supported/);
  assert.equal(await mistakes(`${BASE}mfa: {authenticators: []}\n`), '');
  const client = '{id: a, name: A, public: true, mfaChain: [totp]}';
  assert.match(await mistakes(`${BASE}staticClients: [${client}]\n`), /mfaChain is not supported/);
  const ldap = (kerberos: string): string =>
    `${BASE}connectors: [{type: ldap, id: l, name: L, config: {host: h, userSearch: {baseDN: b, username: uid, idAttr: uid, emailAttr: mail}, kerberos: ${kerberos}}}]\n`;
  assert.match(await mistakes(ldap('{enabled: true}')), /kerberos is not supported/);
  assert.equal(await mistakes(ldap('{enabled: false, spn: x}')), '');
});

test('tokens live at least a second', async () => {
  const client = '{id: a, name: A, public: true, idTokenLifetime: 500ms}';
  const shown = await mistakes(`${BASE}expiry: {idTokens: 0s}\nstaticClients: [${client}]\n`);
  assert.match(shown, /expiry\.idTokens is less than a second/);
  assert.match(shown, /staticClients\[0\]\.idTokenLifetime is less than a second/);
});

test('resolves anchors and merge keys', async () => {
  const config = await read(`${BASE}x-user: &u {hash: "${HASH}", userID: "1"}
staticPasswords:
- {<<: *u, email: a@b}
- {<<: *u, email: c@d, userID: "2"}
`);
  assert.deepEqual(
    config.staticPasswords.map((user) => user.userId),
    ['1', '2'],
  );
});

test('survives files that are not what they seem', async () => {
  const deep = '['.repeat(2000);
  for (const text of [
    '',
    'just text',
    '- a\n- b',
    'a: [',
    '\tx: 1',
    '*nope',
    deep,
    'a: *b',
    '---\na: 1\n---\nb: 2\n',
    '\0',
  ]) {
    assert.notEqual(await mistakes(text), '', JSON.stringify(text.slice(0, 20)));
  }
});

test('a file without any way to log in is refused', async () => {
  assert.match(await mistakes(BASE.replace('true', 'false')), /offers no way to log in/);
});
