/** Mistakes that people make in the LDAP section of the seed document, and what the check tells them to change. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { removeSlapd, SLAPD_MISSING, startSlapd } from '../../../../testkit/src/slapd.ts';
import type { Slapd } from '../../../../testkit/src/slapd.ts';
import { requireConfig } from '../../config/parse-config.ts';

type Settings = Record<string, unknown>;

const SEED: Settings = {
  insecureNoSSL: true,
  insecureSkipVerify: true,
  startTLS: false,
  bindDN: 'cn=admin,dc=example,dc=com',
  bindPW: 'admin',
};
const PEOPLE: Settings = {
  baseDN: 'ou=People,dc=example,dc=com',
  filter: '(objectClass=inetOrgPerson)',
  username: 'uid',
  idAttr: 'uid',
  emailAttr: 'mail',
  nameAttr: 'givenName',
};
const GROUPS: Settings = {
  baseDN: 'ou=Groups,dc=example,dc=com',
  filter: '(objectClass=groupOfNames)',
  userAttr: 'DN',
  groupAttr: 'member',
  nameAttr: 'cn',
};
const NICK = 'cn=Nick Kiliadis,ou=People,dc=example,dc=com';
const TLS: Settings = { insecureNoSSL: false, insecureSkipVerify: false };

describe('the check of a directory', SLAPD_MISSING === undefined ? {} : { skip: SLAPD_MISSING }, () => {
  let slapd: Slapd;
  let withoutTls: Slapd;
  before(async () => {
    const ldif = readFileSync(path.join(import.meta.dirname, 'testdata/seed.ldif'), 'utf8');
    const root = { suffix: 'dc=example,dc=com', rootDN: 'cn=admin,dc=example,dc=com', rootPassword: 'admin' };
    [slapd, withoutTls] = await Promise.all([startSlapd({ ...root, ldif, tls: true }), startSlapd({ ...root, ldif })]);
  });
  after(() => Promise.all([removeSlapd(slapd), removeSlapd(withoutTls)]));

  let person: { username: string; password?: string } = { username: 'nkili', password: '12341234' };
  const walk = async (settings: Settings, people: Settings = {}, groups: Settings = {}): Promise<string> => {
    const config = {
      host: `127.0.0.1:${slapd.port}`,
      ...SEED,
      userSearch: { ...PEOPLE, ...people },
      groupSearch: { ...GROUPS, ...groups },
      ...settings,
    };
    const connectors = [{ type: 'ldap', id: 'ldap', name: 'LDAP', config }];
    const file = { issuer: 'https://x/dex', storage: { type: 'memory' }, web: { http: ':0' }, connectors };
    const read = await requireConfig(JSON.stringify(file), {}, 'test');
    const report = await read.connectors[0]?.check?.(person);
    const text = report?.lines.join('\n') ?? '';
    assert.doesNotMatch(text, /12341234|Code: 0x/);
    return text;
  };

  test('says when a password was not tried', async (t) => {
    const before = person;
    t.after(() => (person = before));
    assert.match(await walk({}), /ok {3}user bind: accepted/);
    person = { username: 'nkili' };
    assert.match(
      await walk({}),
      /ok {3}user bind: not tried: no password was given \(IDENTITY_PASSWORD\)[^]*groups: admins/,
    );
  });

  const at = (port: number, host = 'localhost'): Settings => ({ host: `${host}:${port}` });
  const CONNECTIONS: readonly (readonly [string, () => Settings, RegExp])[] = [
    [
      'a host that nobody knows',
      () => at(389, 'ldap.invalid'),
      /FAIL connect: .*(?:ENOTFOUND|EAI_AGAIN)[^]*next: No such name is known here: correct host/,
    ],
    [
      'a port where nobody listens',
      () => at(1),
      /FAIL connect: .*ECONNREFUSED[^]*next: Nothing listens there: correct host and port/,
    ],
    [
      'StartTLS with an authority of their own',
      () => ({ ...TLS, ...at(slapd.port), startTLS: true }),
      /FAIL connect: self-signed[^]*next: Set rootCA .*or rootCAData/,
    ],
    [
      'LDAPS with an authority of their own',
      () => ({ ...TLS, ...at(slapd.tlsPort) }),
      /FAIL connect: self-signed[^]*next: Set rootCA/,
    ],
    [
      'a name that is not in the certificate',
      () => ({ ...TLS, ...at(slapd.tlsPort, '127.1'), rootCA: slapd.caFile }),
      /FAIL connect: [^]*next: Set host to a name that is in the certificate/,
    ],
    [
      'a directory without StartTLS',
      () => ({ ...TLS, ...at(withoutTls.port), startTLS: true }),
      /FAIL connect: protocolError \(2\): unsupported extended operation[^]*next: The server has no StartTLS there/,
    ],
    [
      'LDAPS at the plain port',
      () => ({ ...TLS, ...at(slapd.port) }),
      /next: The port does not speak TLS: set startTLS: true for port 389/,
    ],
    [
      'plain text at the port of LDAPS',
      () => at(slapd.tlsPort),
      /next: The port may speak TLS: remove insecureNoSSL for port 636/,
    ],
    [
      'StartTLS at the port of LDAPS',
      () => ({ ...TLS, ...at(slapd.tlsPort), startTLS: true }),
      /next: The port may speak TLS from the first byte: set startTLS: false/,
    ],
    [
      'an authority that is not there',
      () => ({ ...TLS, rootCA: '/nonexistent.pem' }),
      /cannot read rootCA \/nonexistent\.pem[^]*next: Correct the file/,
    ],
    [
      'a wrong bindPW',
      () => ({ bindPW: 'nope' }),
      /FAIL bind: invalidCredentials \(49\)[^]*next: Check bindDN and bindPW/,
    ],
    [
      'a bindDN that is a name',
      () => ({ bindDN: 'admin' }),
      /FAIL bind: invalidDNSyntax \(34\)[^]*next: bindDN is no DN: write the whole name/,
    ],
    ['no bindPW', () => ({ bindPW: '' }), /FAIL bind: unwillingToPerform \(53\)[^]*next: Set bindPW/],
  ];
  for (const [mistake, settings, expected] of CONNECTIONS) {
    test(`says what to change about ${mistake}`, async () => {
      assert.match(await walk(settings()), expected);
    });
  }

  const SEARCHES: readonly (readonly [string, Settings, RegExp])[] = [
    [
      'a base that does not exist',
      { baseDN: 'ou=Peple,dc=example,dc=com' },
      /FAIL user search: noSuchObject \(32\)[^]*next: Correct userSearch\.baseDN\. The server has dc=example,dc=com\./,
    ],
    [
      'a base that is a name',
      { baseDN: 'People' },
      /FAIL user search: invalidDNSyntax \(34\)[^]*The server has dc=example,dc=com/,
    ],
    [
      'a filter that keeps the person out',
      { filter: '(objectClass=user)' },
      new RegExp(`no entry[^]*next: userSearch\\.filter keeps out ${NICK}`),
    ],
    [
      'a filter and a name that match nothing',
      { filter: '(objectClass=user)', username: 'cn' },
      /next: Nothing below baseDN matches userSearch\.filter/,
    ],
    [
      'the attribute of another directory',
      { username: 'sAMAccountName' },
      new RegExp(`next: ${NICK} has no sAMAccountName, but objectClass, .*uid.*: correct userSearch\\.username`),
    ],
    ['a name that nobody has', { username: 'sn' }, /next: Nobody below baseDN has this sn; cn=.* has one/],
    [
      'an attribute that people lack',
      { emailAttr: 'email' },
      /the entry lacks email[^]*next: It has objectClass, .*mail\. Correct the attribute names/,
    ],
  ];
  for (const [mistake, people, expected] of SEARCHES) {
    test(`says what to change in userSearch about ${mistake}`, async () => {
      assert.match(await walk({}, people), expected);
    });
  }

  const MEMBERSHIPS: readonly (readonly [string, Settings, RegExp])[] = [
    [
      'an attribute that groups lack',
      { groupAttr: 'memberUid' },
      /ok {3}groups: no groups[^]*next: cn=admins,ou=Groups,.* has no memberUid, but objectClass, cn, member: correct groupAttr/,
    ],
    [
      'a value of another kind',
      { userAttr: 'uid' },
      new RegExp(`next: Searched was member nkili; cn=admins,.* has ${NICK}\\..*correct userAttr`),
    ],
    [
      'an attribute that the person lacks',
      { userAttr: 'memberOf' },
      /next: The person has no memberOf: correct userAttr/,
    ],
    [
      'a base that does not exist',
      { baseDN: 'ou=Group,dc=example,dc=com' },
      /next: groupSearch\.baseDN does not exist\. The server has dc=example,dc=com/,
    ],
    [
      'a filter that no group matches',
      { filter: '(objectClass=group)' },
      /next: Nothing below groupSearch\.baseDN matches its filter/,
    ],
    [
      'nothing about who belongs',
      { userAttr: '', groupAttr: '' },
      /next: groupSearch does not say who belongs to a group: set userMatchers/,
    ],
    [
      'a name that groups lack',
      { nameAttr: 'name' },
      /FAIL groups: .*lacks name[^]*next: Correct groupSearch\.nameAttr/,
    ],
  ];
  for (const [mistake, groups, expected] of MEMBERSHIPS) {
    test(`says what to change in groupSearch about ${mistake}`, async () => {
      assert.match(await walk({}, {}, groups), expected);
    });
  }
});
