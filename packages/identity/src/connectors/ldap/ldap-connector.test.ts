import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import { silentLogger, systemClock } from '@kfctl/core';
import { removeSlapd, SLAPD_MISSING, startSlapd } from '../../../../testkit/src/slapd.ts';
import type { Slapd } from '../../../../testkit/src/slapd.ts';
import { requireConfig } from '../../config/parse-config.ts';
import type { Connector, Identity, LoginOutcome } from '../connector.ts';

const ldif = (name: string): string => readFileSync(path.join(import.meta.dirname, 'testdata', name), 'utf8');
const SCOPES = { groups: true, offlineAccess: true };
const SKIP = SLAPD_MISSING === undefined ? {} : { skip: SLAPD_MISSING };

type Settings = Record<string, unknown>;

/** Opens the connector through the configuration file, as serving does. */
async function open(t: TestContext, config: Settings, env: Record<string, string> = {}): Promise<Connector> {
  const file = {
    issuer: 'https://x/dex',
    storage: { type: 'memory' },
    web: { http: ':0' },
    connectors: [{ type: 'ldap', id: 'ldap', name: 'LDAP', config }],
  };
  const { connectors } = await requireConfig(JSON.stringify(file), env, 'test');
  const deps = { id: 'ldap', log: silentLogger, clock: systemClock, callbackPath: '/dex/callback' };
  const connector = await connectors[0]?.open(deps);
  assert.ok(connector);
  t.after(() => connector.close?.());
  return connector;
}

async function login(connector: Connector, username: string, password: string): Promise<LoginOutcome> {
  const { password: ability } = connector;
  assert.ok(ability);
  return await ability.login({ username, password }, SCOPES);
}

/** Logs in, refreshes, and expects the same person both times. */
async function identify(connector: Connector, username: string, password: string): Promise<Identity> {
  const outcome = await login(connector, username, password);
  assert.equal(outcome.kind, 'authenticated', JSON.stringify(outcome));
  if (outcome.kind !== 'authenticated') throw new Error('unreachable');
  const again = await connector.refresh?.refresh(outcome, SCOPES);
  assert.equal(again?.kind, 'authenticated');
  if (again?.kind === 'authenticated') assert.deepEqual(again.identity, outcome.identity);
  return outcome.identity;
}

async function refused(connector: Connector, username: string, password: string): Promise<void> {
  assert.equal((await login(connector, username, password)).kind, 'denied', username);
}

describe("the seed document's directory", SKIP, () => {
  let slapd: Slapd;
  before(async () => {
    const rootDN = 'cn=admin,dc=example,dc=com';
    slapd = await startSlapd({ suffix: 'dc=example,dc=com', rootDN, rootPassword: 'admin', ldif: ldif('seed.ldif') });
  });
  after(() => removeSlapd(slapd));

  const seedConfig = (): Settings => ({
    host: `127.0.0.1:${slapd.port}`,
    insecureNoSSL: true,
    insecureSkipVerify: true,
    startTLS: false,
    bindDN: 'cn=admin,dc=example,dc=com',
    bindPW: 'admin',
    usernamePrompt: 'username',
    userSearch: {
      baseDN: 'ou=People,dc=example,dc=com',
      filter: '(objectClass=inetOrgPerson)',
      username: 'uid',
      idAttr: 'uid',
      emailAttr: 'mail',
      nameAttr: 'givenName',
    },
    groupSearch: {
      baseDN: 'ou=Groups,dc=example,dc=com',
      filter: '(objectClass=groupOfNames)',
      userAttr: 'DN',
      groupAttr: 'member',
      nameAttr: 'cn',
    },
  });

  test('both people log in with their names and groups', async (t) => {
    const connector = await open(t, seedConfig());
    assert.equal(connector.password?.prompt, 'username');
    assert.deepEqual(await identify(connector, 'nkili', '12341234'), {
      userId: 'nkili',
      username: 'Nick',
      preferredUsername: '',
      email: 'nkili@example.com',
      emailVerified: true,
      groups: ['admins', 'developers'],
    });
    assert.deepEqual((await identify(connector, 'rspanakopita', '43214321')).groups, ['developers']);
  });

  test('attribute names are the same in any case', async (t) => {
    const { userSearch, ...config } = seedConfig() as { userSearch: Settings };
    const shouted = { ...userSearch, nameAttr: 'GIVENNAME', emailAttr: 'MAIL', idAttr: 'UID', username: 'UID' };
    assert.equal(
      (await identify(await open(t, { ...config, userSearch: shouted }), 'nkili', '12341234')).username,
      'Nick',
    );
  });
});

describe('identity check', SKIP, () => {
  let slapd: Slapd;
  before(async () => {
    const rootDN = 'cn=admin,dc=example,dc=com';
    slapd = await startSlapd({ suffix: 'dc=example,dc=com', rootDN, rootPassword: 'admin', ldif: ldif('seed.ldif') });
  });
  after(() => removeSlapd(slapd));

  const walk = async (more: Settings, person: { username?: string; password?: string } = {}): Promise<string> => {
    const config = {
      host: `127.0.0.1:${slapd.port}`,
      insecureNoSSL: true,
      bindDN: 'cn=admin,dc=example,dc=com',
      bindPW: 'admin',
      userSearch: { baseDN: 'ou=People,dc=example,dc=com', username: 'uid', idAttr: 'uid', emailAttr: 'mail' },
      groupSearch: { baseDN: 'ou=Groups,dc=example,dc=com', nameAttr: 'cn', userAttr: 'DN', groupAttr: 'member' },
      ...more,
    };
    const file = {
      issuer: 'https://x',
      storage: { type: 'memory' },
      web: { http: ':0' },
      connectors: [{ type: 'ldap', id: 'l', name: 'L', config }],
    };
    const { connectors } = await requireConfig(JSON.stringify(file), {}, 'test');
    const report = await connectors[0]?.check?.(person);
    return `${report?.ok} ${report?.lines.join('\n')}`;
  };

  test('walks from the connection to the groups and says what was sent and what came back', async () => {
    const text = await walk({}, { username: 'nkili', password: '12341234' });
    assert.match(text, /^true ok {3}connect: connected/);
    assert.match(text, /ok {3}bind: accepted/);
    assert.match(text, /ok {3}user search: cn=Nick Kiliadis,ou=People/);
    assert.match(text, /filter \(uid=nkili\)/);
    assert.match(text, /ok {3}user bind: accepted/);
    assert.match(text, /ok {3}groups: admins, developers/);
    assert.doesNotMatch(text, /12341234/);
  });

  test('stops at the step that fails and says what to change', async () => {
    assert.match(
      await walk({ host: '127.0.0.1:1' }),
      /^false FAIL connect: .*ECONNREFUSED[^]*next: Nothing listens there/,
    );
    assert.match(await walk({ insecureNoSSL: false }), /^false FAIL connect:[^]*next: /);
    assert.match(await walk({ bindPW: 'x' }), /FAIL bind:[^]*next: Check bindDN and bindPW/);
    assert.match(
      await walk({}, { username: 'nobody' }),
      /FAIL user search: no entry[^]*next: Nobody below baseDN has this uid/,
    );
    assert.match(
      await walk({}, { username: 'nkili', password: 'x' }),
      /FAIL user bind:[^]*next: The directory refuses/,
    );
    const renamed = {
      userSearch: { baseDN: 'ou=People,dc=example,dc=com', username: 'uid', idAttr: 'uid', emailAttr: 'email' },
    };
    assert.match(
      await walk(renamed, { username: 'nkili' }),
      /FAIL user search: .*lacks email[^]*next: It has .*mail\. Correct the attribute names/,
    );
  });
});

describe('the scenarios of Dex', SKIP, () => {
  let slapd: Slapd;
  before(async () => {
    const rootDN = 'cn=admin,dc=example,dc=org';
    slapd = await startSlapd({
      suffix: 'dc=example,dc=org',
      rootDN,
      rootPassword: 'ad$min',
      ldif: ldif('scenarios.ldif'),
      tls: true,
    });
  });
  after(() => removeSlapd(slapd));

  const SEATTLE = 'ou=Seattle,ou=People,dc=example,dc=org';
  const GROUPS = {
    baseDN: 'ou=Flat,ou=Groups,dc=example,dc=org',
    filter: '(objectClass=groupOfNames)',
    nameAttr: 'cn',
  };
  const config = (more: Settings = {}, userSearch: Settings = {}): Settings => ({
    host: `127.0.0.1:${slapd.port}`,
    insecureNoSSL: true,
    bindDN: 'cn=admin,dc=example,dc=org',
    bindPW: '$BIND_PASSWORD',
    userSearch: { baseDN: SEATTLE, username: 'cn', nameAttr: 'cn', idAttr: 'DN', emailAttr: 'mail', ...userSearch },
    ...more,
  });
  const env = { BIND_PASSWORD: 'ad$min' };
  const openWith = (t: TestContext, more: Settings = {}, userSearch: Settings = {}): Promise<Connector> =>
    open(t, config(more, userSearch), env);

  test('a plain query: the DN is the id; a $ in the service password comes through the environment', async (t) => {
    const connector = await openWith(t);
    const jane = await identify(connector, 'jane', 'foo');
    assert.equal(jane.userId, `cn=jane,${SEATTLE}`);
    assert.equal(jane.email, 'janedoe@example.com');
    assert.equal((await identify(connector, 'john', 'bar')).email, 'johndoe@example.com');
  });

  test('wrong and empty passwords, unknown names, wild cards and injections are refused', async (t) => {
    const connector = await openWith(t);
    for (const [name, password] of [
      ['jane', 'bar'],
      ['jane', ''],
      ['jane', '*'],
      ['', 'foo'],
      ['nobody', 'foo'],
      ['j*', 'foo'],
      ['*', 'foo'],
      ['jane)(uid=*', 'foo'],
      ['*)(objectClass=*))(|(cn=*', 'foo'],
      ['jane\0', 'foo'],
      ['\\6aane', 'foo'],
      ['nopassword', 'foo'],
      ['x'.repeat(100_000), 'foo'],
    ] as const) {
      await refused(connector, name, password);
    }
  });

  test('names and passwords with special characters log in', async (t) => {
    const connector = await openWith(t, {
      groupSearch: { ...GROUPS, userMatchers: [{ userAttr: 'DN', groupAttr: 'member' }] },
    });
    await identify(connector, 'paren (x) * \\ back', 'pa$$w*rd\\(é)');
    await identify(connector, 'Éléonore', 'foo');
    const byUid = await openWith(t, {}, { username: 'uid' });
    await identify(byUid, 'a(b)*c\\d', 'pa$$w*rd\\(é)');
    await identify(byUid, 'éléonore', 'foo');
    assert.deepEqual((await identify(connector, 'Doe, Max + "Mad"', 'foo')).groups, ['developers']);
  });

  test('emailSuffix makes the address of the name', async (t) => {
    const connector = await openWith(t, {}, { emailSuffix: 'test.example.com' });
    assert.equal((await identify(connector, 'jane', 'foo')).email, 'jane@test.example.com');
    assert.equal((await identify(connector, 'nomail', 'foo')).email, 'nomail@test.example.com');
  });

  test('a filter chooses between two people of one name; without it the login fails as an error', async (t) => {
    const both = { baseDN: 'ou=People,dc=example,dc=org' };
    const connector = await openWith(t, {}, { ...both, filter: '(ou:dn:=Seattle)' });
    assert.equal((await identify(connector, 'jane', 'foo')).email, 'janedoe@example.com');
    await refused(connector, 'jane', 'baz');
    await assert.rejects(login(await openWith(t, {}, both), 'jane', 'foo'), /2 entries match/);
  });

  test('scope one does not look deeper', async (t) => {
    await refused(await openWith(t, {}, { baseDN: 'ou=People,dc=example,dc=org', scope: 'one' }), 'john', 'bar');
  });

  test('several user name attributes', async (t) => {
    const connector = await openWith(t, {}, { username: ['cn', 'mail'] });
    await identify(connector, 'jane', 'foo');
    await identify(connector, 'janedoe@example.com', 'foo');
  });

  test('a missing attribute is an error that names it', async (t) => {
    await assert.rejects(login(await openWith(t), 'nomail', 'foo'), /lacks mail/);
  });

  test('groups by DN, by numbers on the person, by two matchers, by the old keys', async (t) => {
    const groupsOf = async (groupSearch: Settings, name: string, password: string): Promise<readonly string[]> =>
      (await identify(await openWith(t, { groupSearch }), name, password)).groups;
    const byDn = { ...GROUPS, userMatchers: [{ userAttr: 'DN', groupAttr: 'member' }] };
    assert.deepEqual(await groupsOf(byDn, 'jane', 'foo'), ['admins', 'developers']);
    assert.deepEqual(await groupsOf(byDn, 'john', 'bar'), ['admins']);
    const old = { ...GROUPS, userAttr: 'dn', groupAttr: 'member' };
    assert.deepEqual(await groupsOf(old, 'jane', 'foo'), ['admins', 'developers']);
    const numbers = {
      baseDN: 'ou=Posix,dc=example,dc=org',
      filter: '(objectClass=posixGroup)',
      nameAttr: 'cn',
      userMatchers: [{ userAttr: 'departmentNumber', groupAttr: 'gidNumber' }],
    };
    assert.deepEqual(await groupsOf(numbers, 'jane', 'foo'), ['padmins', 'pdevelopers']);
    assert.deepEqual(await groupsOf(numbers, 'john', 'bar'), ['padmins', 'pdesigners']);
    const two = {
      baseDN: 'dc=example,dc=org',
      filter: '(|(objectClass=posixGroup)(objectClass=groupOfNames))',
      nameAttr: 'cn',
      userMatchers: [
        { userAttr: 'DN', groupAttr: 'member' },
        { userAttr: 'uid', groupAttr: 'memberUid' },
      ],
    };
    assert.deepEqual(await groupsOf(two, 'jane', 'foo'), [
      'admins',
      'developers',
      'childGroup',
      'circularGroup1',
      'frontend',
    ]);
  });

  test('groups are searched only where the scope was asked for', async (t) => {
    const nameless = { ...GROUPS, nameAttr: 'name', userMatchers: [{ userAttr: 'DN', groupAttr: 'member' }] };
    const { password } = await openWith(t, { groupSearch: nameless });
    const ask = async (groups: boolean): Promise<LoginOutcome | undefined> =>
      await password?.login({ username: 'jane', password: 'foo' }, { groups, offlineAccess: false });
    assert.equal((await ask(false))?.kind, 'authenticated');
    await assert.rejects(ask(true), /lacks name/);
  });

  test('groups of groups at any depth, circles included', async (t) => {
    const groupSearch = {
      baseDN: 'ou=Nested,dc=example,dc=org',
      nameAttr: 'cn',
      userMatchers: [{ userAttr: 'DN', groupAttr: 'member', recursionGroupAttr: 'member' }],
    };
    const connector = await openWith(t, { groupSearch });
    assert.deepEqual((await identify(connector, 'jane', 'foo')).groups, [
      'childGroup',
      'circularGroup1',
      'intermediateGroup',
      'circularGroup2',
      'parentGroup',
    ]);
    assert.deepEqual((await identify(connector, 'john', 'bar')).groups, [
      'intermediateGroup',
      'circularGroup2',
      'parentGroup',
      'circularGroup1',
    ]);
  });

  test('a group base that does not exist means no groups, a user base that does not exist is an error', async (t) => {
    const userMatchers = [{ userAttr: 'DN', groupAttr: 'member' }];
    const lost = await openWith(t, {
      groupSearch: { baseDN: 'ou=Gone,dc=example,dc=org', nameAttr: 'cn', userMatchers },
    });
    assert.deepEqual((await identify(lost, 'jane', 'foo')).groups, []);
    await assert.rejects(login(await openWith(t, {}, { baseDN: 'ou=Gone,dc=example,dc=org' }), 'jane', 'foo'));
  });

  test('StartTLS and LDAPS check the certificate unless told not to', async (t) => {
    const ca = { rootCA: slapd.caFile };
    const data = { rootCAData: readFileSync(slapd.caFile).toString('base64') };
    const starttls = { insecureNoSSL: false, startTLS: true };
    const ldaps = { insecureNoSSL: false, host: `localhost:${slapd.tlsPort}` };
    for (const settings of [
      { ...starttls, ...ca },
      { ...starttls, ...data },
      { ...ldaps, ...ca },
      { ...ldaps, insecureSkipVerify: true },
      { ...starttls, insecureSkipVerify: true },
    ]) {
      await identify(await openWith(t, settings), 'jane', 'foo');
    }
    await assert.rejects(login(await openWith(t, starttls), 'jane', 'foo'), /cannot connect or bind/);
    await assert.rejects(login(await openWith(t, ldaps), 'jane', 'foo'), /cannot connect or bind/);
  });

  test('a wrong service password or an unreachable server is an error, never a refusal of the person', async (t) => {
    const wrong = await open(t, config({ bindPW: 'nope' }));
    await assert.rejects(login(wrong, 'jane', 'foo'), /cannot connect or bind/);
    const down = await openWith(t, { host: '127.0.0.1:1' });
    await assert.rejects(login(down, 'jane', 'foo'), /cannot connect or bind/);
  });

  test('the second host serves when the first is down', async (t) => {
    await identify(await openWith(t, { host: `127.0.0.1:1, 127.0.0.1:${slapd.port}` }), 'jane', 'foo');
  });

  test('a server that never answers is given up in time', async (t) => {
    const { createServer } = await import('node:net');
    const silent = createServer(() => undefined);
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    t.after(() => silent.close());
    const { port } = silent.address() as { port: number };
    const connector = await openWith(t, { host: `127.0.0.1:${port}`, connectTimeout: '200ms', timeout: '200ms' });
    await assert.rejects(login(connector, 'jane', 'foo'), /cannot connect or bind/);
  });

  test('a restart of the directory is survived by kept connections', async (t) => {
    const connector = await openWith(t);
    await identify(connector, 'jane', 'foo');
    await slapd.stop();
    await assert.rejects(login(connector, 'jane', 'foo'));
    await slapd.start();
    await identify(connector, 'jane', 'foo');
  });

  test('200 logins at once share a few connections and mix nobody up', async (t) => {
    const connector = await openWith(t, { maxConnections: 4 });
    const people = Array.from({ length: 200 }, (_, index) => (index % 2 === 0 ? 'jane' : 'john'));
    const outcomes = await Promise.all(people.map((name) => login(connector, name, name === 'jane' ? 'foo' : 'bar')));
    for (const [index, outcome] of outcomes.entries()) {
      assert.ok(outcome.kind === 'authenticated' && outcome.identity.username === people[index]);
    }
  });

  test('a refresh ends for a person who is gone or whose name is another entry now', async (t) => {
    const connector = await openWith(t);
    const outcome = await login(connector, 'jane', 'foo');
    assert.ok(outcome.kind === 'authenticated');
    const remembered = (username: string, dn: string): Buffer =>
      Buffer.from(JSON.stringify({ username, entry: { DN: dn } }));
    for (const connectorData of [
      remembered('gone', `cn=gone,${SEATTLE}`),
      remembered('jane', 'cn=jane,ou=Elsewhere'),
      Buffer.from('{}'),
      Buffer.from('x'),
    ]) {
      assert.equal((await connector.refresh?.refresh({ ...outcome, connectorData }, SCOPES))?.kind, 'denied');
    }
  });
});
