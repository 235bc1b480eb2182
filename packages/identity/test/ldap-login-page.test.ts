/** People of a real OpenLDAP at the real login page, over HTTP: who gets in, who is told what. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { removeSlapd, SLAPD_MISSING } from '../../testkit/src/slapd.ts';
import type { Slapd } from '../../testkit/src/slapd.ts';
import {
  BASE,
  changeEntry,
  GROUPS,
  identify,
  people,
  plain,
  refreshAt,
  SEATTLE,
  startDirectory,
  startWithDirectories,
  submit,
} from './directory-login.ts';
import type { TestIdentity } from './test-identity.ts';

describe('the login page of a directory', SLAPD_MISSING === undefined ? {} : { skip: SLAPD_MISSING }, () => {
  let slapd: Slapd;
  let identity: TestIdentity;
  before(async () => {
    slapd = await startDirectory({ tls: true });
    const flat = { ...GROUPS, baseDN: `ou=Flat,ou=Groups,${BASE}` };
    const nested = {
      nameAttr: 'cn',
      baseDN: `ou=Nested,${BASE}`,
      userMatchers: [{ userAttr: 'DN', groupAttr: 'member', recursionGroupAttr: 'member' }],
    };
    const numbers = {
      nameAttr: 'cn',
      baseDN: `ou=Posix,${BASE}`,
      userMatchers: [{ userAttr: 'departmentNumber', groupAttr: 'gidNumber' }],
    };
    const matchers = {
      nameAttr: 'cn',
      baseDN: BASE,
      filter: '(&(|(objectClass=posixGroup)(objectClass=groupOfNames))(!(ou:dn:=Nested)))',
      userMatchers: [
        { userAttr: 'DN', groupAttr: 'member' },
        { userAttr: 'uid', groupAttr: 'memberUid' },
      ],
    };
    const ca = { rootCA: slapd.caFile };
    const data = { rootCAData: readFileSync(slapd.caFile).toString('base64') };
    identity = await startWithDirectories(undefined, {
      plain: { ...plain(slapd), groupSearch: flat },
      byUid: { ...plain(slapd), userSearch: people({ username: 'uid' }) },
      list: { ...plain(slapd), userSearch: people({ username: ['cn', 'mail'] }) },
      suffix: { ...plain(slapd), userSearch: people({ emailSuffix: 'test.example.com' }) },
      filter: { ...plain(slapd), userSearch: people({ baseDN: `ou=People,${BASE}`, filter: '(ou:dn:=Seattle)' }) },
      nested: { ...plain(slapd), groupSearch: nested },
      numbers: { ...plain(slapd), groupSearch: numbers },
      old: {
        ...plain(slapd),
        groupSearch: { nameAttr: 'cn', baseDN: flat.baseDN, userAttr: 'dn', groupAttr: 'member' },
      },
      groupFilter: {
        ...plain(slapd),
        groupSearch: {
          nameAttr: 'cn',
          baseDN: `ou=Groups,${BASE}`,
          filter: '(ou:dn:=Flat)',
          userMatchers: [{ userAttr: 'dn', groupAttr: 'member' }],
        },
      },
      matchers: { ...plain(slapd), groupSearch: matchers },
      anyCase: {
        ...plain(slapd),
        userSearch: people({ username: 'CN', nameAttr: 'CN', emailAttr: 'MAIL', idAttr: 'UID' }),
      },
      noGroups: { ...plain(slapd), groupSearch: { ...flat, baseDN: `ou=Gone,${BASE}` } },
      anonymous: { ...plain(slapd), bindDN: '', bindPW: '' },
      wholeTree: { ...plain(slapd), userSearch: people({ baseDN: BASE, username: 'mail' }) },
      starttls: { host: `localhost:${slapd.port}`, startTLS: true, ...ca },
      ldaps: { host: `localhost:${slapd.tlsPort}`, ...ca },
      caInTheFile: { host: `localhost:${slapd.port}`, startTLS: true, ...data },
      unchecked: { host: `localhost:${slapd.tlsPort}`, insecureSkipVerify: true },
      certificate: {
        host: `localhost:${slapd.tlsPort}`,
        ...ca,
        clientCert: `${slapd.directory}/client.pem`,
        clientKey: `${slapd.directory}/client.key`,
      },
      second: { ...plain(slapd), host: `127.0.0.1:1, 127.0.0.1:${slapd.port}` },
      down: { host: '127.0.0.1:1', insecureNoSSL: true },
      wrongService: { ...plain(slapd), bindPW: 'nope' },
      noBase: { ...plain(slapd), userSearch: people({ baseDN: `ou=Gone,${BASE}` }) },
      twoMatches: { ...plain(slapd), userSearch: people({ baseDN: `ou=People,${BASE}` }) },
      away: { ...plain(slapd), userSearch: people({ baseDN: `ou=Away,${BASE}` }) },
      untrusted: { host: `localhost:${slapd.tlsPort}` },
      plainAtTls: { host: `localhost:${slapd.tlsPort}`, startTLS: true, ...ca },
      wrongName: { host: `127.1:${slapd.tlsPort}`, ...ca },
    });
  });
  after(async () => {
    await identity.stop();
    await removeSlapd(slapd);
  });

  const WELCOME: readonly (readonly [string, string, string, Record<string, unknown>])[] = [
    ['plain', 'jane', 'foo', { email: 'janedoe@example.com', name: 'jane', groups: ['admins', 'developers'] }],
    ['plain', 'john', 'bar', { email: 'johndoe@example.com', groups: ['admins'] }],
    ['plain', 'paren (x) * \\ back', 'pa$$w*rd\\(é)', { name: 'paren (x) * \\ back' }],
    ['plain', 'Éléonore', 'foo', { name: 'Éléonore' }],
    ['plain', 'Doe, Max + "Mad"', 'foo', { groups: ['developers'] }],
    ['byUid', 'a(b)*c\\d', 'pa$$w*rd\\(é)', {}],
    ['byUid', 'éléonore', 'foo', {}],
    ['list', 'janedoe@example.com', 'foo', { name: 'jane' }],
    ['list', 'jane', 'foo', { name: 'jane' }],
    ['suffix', 'jane', 'foo', { email: 'jane@test.example.com' }],
    ['suffix', 'nomail', 'foo', { email: 'nomail@test.example.com' }],
    ['filter', 'jane', 'foo', { email: 'janedoe@example.com' }],
    [
      'nested',
      'jane',
      'foo',
      { groups: ['childGroup', 'circularGroup1', 'intermediateGroup', 'circularGroup2', 'parentGroup'] },
    ],
    ['nested', 'john', 'bar', { groups: ['intermediateGroup', 'circularGroup2', 'parentGroup', 'circularGroup1'] }],
    ['numbers', 'jane', 'foo', { groups: ['padmins', 'pdevelopers'] }],
    ['numbers', 'john', 'bar', { groups: ['padmins', 'pdesigners'] }],
    ['groupFilter', 'jane', 'foo', { groups: ['admins', 'developers'] }],
    ['groupFilter', 'john', 'bar', { groups: ['admins'] }],
    ['matchers', 'jane', 'foo', { groups: ['admins', 'developers', 'frontend'] }],
    ['matchers', 'john', 'bar', { groups: ['admins', 'qa', 'logger'] }],
    ['old', 'jane', 'foo', { groups: ['admins', 'developers'] }],
    ['old', 'john', 'bar', { groups: ['admins'] }],
    ['anyCase', 'jane', 'foo', { name: 'jane', email: 'janedoe@example.com' }],
    ['noGroups', 'jane', 'foo', { groups: undefined }],
    ['anonymous', 'jane', 'foo', {}],
    ['wholeTree', 'janedoe@example.com', 'foo', { name: 'jane' }],
    ['starttls', 'jane', 'foo', {}],
    ['caInTheFile', 'jane', 'foo', {}],
    ['ldaps', 'jane', 'foo', {}],
    ['unchecked', 'jane', 'foo', {}],
    ['certificate', 'jane', 'foo', {}],
    ['second', 'jane', 'foo', {}],
  ];
  for (const [connector, login, password, expected] of WELCOME) {
    test(`lets in by ${connector}: ${login}`, async () => {
      const { claims } = await identify(identity, { connector, login, password });
      for (const [name, value] of Object.entries(expected)) assert.deepEqual(claims[name], value, name);
      assert.equal(claims['email_verified'], true);
    });
  }

  const REFUSED: readonly (readonly [string, string])[] = [
    ['jane', 'wrong'],
    ['nobody', 'foo'],
    ['john', ''],
    ['j*', 'foo'],
    ['jane', '*'],
    ['nopassword', 'foo'],
    ['*)(uid=*', 'foo'],
    ['jane)(|(cn=*', 'foo'],
  ];
  for (const [login, password] of REFUSED) {
    test(`shows the form again to ${JSON.stringify(login)} with ${JSON.stringify(password)}`, async () => {
      const response = await submit(identity, { connector: 'plain', login, password });
      assert.equal(response.status, 401);
      assert.match(await response.text(), /Invalid Username and password/);
    });
  }

  const FAILED = ['down', 'wrongService', 'noBase', 'twoMatches', 'away', 'untrusted', 'plainAtTls', 'wrongName'];
  for (const connector of FAILED) {
    test(`says no more than that something is wrong: ${connector}`, async () => {
      const response = await submit(identity, { connector, login: 'jane', password: 'foo' });
      assert.equal(response.status, 500);
      const text = await response.text();
      assert.match(text, /Login error\. Please contact your administrator or try again later\./);
      assert.doesNotMatch(text, /dc=example|127\.0\.0\.1|localhost|ECONN|certificate|entries match/);
    });
  }

  test('an entry that lacks the address is an error that only the log names', async () => {
    const response = await submit(identity, { connector: 'plain', login: 'nomail', password: 'foo' });
    assert.equal(response.status, 500);
    assert.doesNotMatch(await response.text(), /lacks/);
    assert.ok(identity.log.some((line) => line.includes('the entry lacks mail')));
  });

  test('an account that is disabled afterwards is refused at the refresh and at the page', async () => {
    const person = { connector: 'plain', login: 'addie', password: 'foo' };
    const { refreshToken } = await identify(identity, person);
    const dn = `cn=addie,${SEATTLE}`;
    await changeEntry(slapd, dn, 'userAccountControl', '514');
    const refused = await refreshAt(identity, refreshToken);
    assert.equal(`${refused.status} ${refused.body.error}`, '400 invalid_grant');
    assert.equal((await submit(identity, person)).status, 401);
    await changeEntry(slapd, dn, 'userAccountControl', '512');
    assert.equal((await submit(identity, person)).status, 303);
    assert.equal((await refreshAt(identity, refreshToken)).status, 400, 'a refused refresh token stays refused');
  });

  test('passwords and service secrets are in no log line', () => {
    for (const line of identity.log) {
      for (const secret of ['pa$$w*rd', '"foo"', '"nope"']) assert.equal(line.includes(secret), false, line);
    }
  });
});
