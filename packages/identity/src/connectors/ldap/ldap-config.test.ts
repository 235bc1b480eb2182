import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from '../../config/parse-config.ts';
import { createProblems } from '../../config/problems.ts';
import { parseYamlTree } from '../../config/yaml-tree.ts';
import { isFilter, tidyFilter } from './filter-text.ts';
import { ldapSchema, parseHosts } from './ldap-config.ts';
import type { LdapConfig } from './ldap-config.ts';
import { loadTls } from './ldap-connection.ts';
import { firstValue, requestable } from './ldap-entry.ts';
import { searchFilter } from './ldap-filter.ts';
import { isDisabled } from './find-user.ts';

test('hosts in every spelling', () => {
  assert.deepEqual(parseHosts('a, b:1636 [::1]:3 fe80::1', 636), [
    { name: 'a', port: 636 },
    { name: 'b', port: 1636 },
    { name: '::1', port: 3 },
    { name: 'fe80::1', port: 636 },
  ]);
  for (const text of ['', 'ldap://a', 'a:b', 'a:99999', 'a b:', 'a/b'])
    assert.equal(parseHosts(text, 1), undefined, text);
});

test('mistakes of a connector are named with their place', async () => {
  const { problems } = await parseConfig(
    `issuer: https://x
storage: {type: memory}
web: {http: ":0"}
connectors:
- type: ldap
  id: ldap
  name: LDAP
  config:
    host: ldap://x
    userSearch:
      scope: base
      filter: objectClass=person
      emailSuffix: x
    groupSearch: {baseDN: ou=x}
`,
    {},
  );
  const texts = problems.map(({ path, message }) => `${path.replace('connectors[0].config.', '')} ${message}`);
  for (const expected of [
    'host is not host or host:port',
    'userSearch.baseDN is required',
    'userSearch.username is required',
    'userSearch.idAttr is required',
    'userSearch.scope is not one of sub, one',
    'userSearch.filter is not an LDAP filter',
    'userSearch has emailSuffix without nameAttr',
    'groupSearch has no nameAttr',
  ]) {
    assert.ok(
      texts.some((text) => text.startsWith(expected)),
      `${expected}\n${texts.join('\n')}`,
    );
  }
});

test('a filter in any layout is taken, and nothing that would fail at the first login', () => {
  const good = [
    '(a=b)',
    '(&(a=b)(c=d))',
    '(& (a=b)\n   (| (c=d) (!(e=f)) ) )\n',
    '(ou:dn:=X)',
    '(member:1.2.840.113556.1.4.1941:=cn=a,dc=b)',
    '(:dn:2.4.6.8.10:=Dino)',
    '(a>=1)',
    '(a~=x)',
    '(cn=a b )',
    '(cn=\\28x\\29)',
    '(a=*b*c*)',
    '(a=é)',
    '(&(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))',
  ];
  for (const text of good) {
    const tidy = tidyFilter(text);
    assert.ok(isFilter(tidy), text);
    // The library that sends it takes it too, and means the same.
    assert.equal(searchFilter(tidy, ['x'], 'y').toString(), `(&${tidy}(x=y))`);
  }
  for (const text of [
    'a=b',
    'objectClass=person',
    '(a=b)(c=d)',
    '((a=b))',
    '(a=b',
    '(a=b))',
    '(&(a=b)',
    '(&)',
    '()',
    '(a)',
    '(=b)',
    '(a b=c)',
    '(!(a=b)(c=d))',
    '(!a=b)',
    '(a=b(c)d)',
    String.raw`(a=\zz)`,
    '(objectClass person)',
    '{0}',
  ])
    assert.equal(isFilter(tidyFilter(text)), false, text);
});

test('a user name attribute is a name, a list of names, never none', async () => {
  const problemsWith = async (username: string): Promise<string> => {
    const config = `{host: x, userSearch: {baseDN: "dc=x", idAttr: uid, emailAttr: mail, username: ${username}}}`;
    const file = `issuer: https://x\nstorage: {type: memory}\nweb: {http: ":0"}\nconnectors: [{type: ldap, id: l, name: L, config: ${config}}]\n`;
    return (await parseConfig(file, {})).problems.map(({ message }) => message).join();
  };
  for (const username of ['uid', '[uid, mail]', '[cn]', '5']) assert.equal(await problemsWith(username), '', username);
  assert.equal(await problemsWith('""'), 'is empty');
  assert.equal(await problemsWith('[]'), 'is empty');
  assert.equal(await problemsWith('null'), 'is required');
  assert.match(await problemsWith('{a: b}'), /is a map, not string/);
});

interface Read {
  readonly config: LdapConfig | undefined;
  readonly problems: readonly string[];
  readonly warnings: readonly string[];
}

function read(more: string): Read {
  const problems = createProblems();
  const text = `{host: ldap.example.com, userSearch: {baseDN: "dc=x", username: uid, idAttr: uid, emailAttr: mail}, ${more}}`;
  const tree = parseYamlTree(text, problems);
  const config = ldapSchema.read(tree, { path: '', problems, offset: 0, env: {}, expand: false });
  const words = (list: readonly { path: string; message: string }[]): string[] =>
    list.map(({ path, message }) => `${path} ${message}`);
  return { config, problems: words(problems.errors), warnings: words(problems.warnings) };
}

test('what secures the connection, and the port where none is given', () => {
  const rows: readonly (readonly [string, string, number])[] = [
    ['', 'ldaps', 636],
    ['startTLS: true', 'starttls', 389],
    ['insecureNoSSL: true', 'none', 389],
    ['insecureNoSSL: true, startTLS: true', 'none', 389],
    ['insecureNoSSL: true, insecureSkipVerify: true, startTLS: false', 'none', 389],
  ];
  for (const [settings, security, port] of rows) {
    const { config, problems } = read(settings);
    assert.deepEqual(problems, [], settings);
    assert.equal(config?.security, security, settings);
    assert.deepEqual(config?.hosts, [{ name: 'ldap.example.com', port }], settings);
  }
  assert.match(read('insecureNoSSL: true, startTLS: true').warnings.join(), /wins over startTLS/);
  assert.match(read('clientCert: /a.pem').problems.join(), /goes with clientCert/);
});

test('what promises a login without a form is refused', () => {
  assert.match(read('kerberos: {enabled: true, spn: HTTP/x}').problems.join(), /kerberos is not supported/);
  assert.deepEqual(read('kerberos: {enabled: false}').problems, []);
});

test('an authority in the settings wins over a file, and must be one', () => {
  const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n';
  const data = Buffer.from(pem + pem).toString('base64');
  const both = read(`rootCA: /nonexistent.pem, rootCAData: ${data}`).config;
  assert.ok(both);
  assert.equal(loadTls(both).ca?.length, 2);
  for (const [settings, words] of [
    [`rootCAData: ${Buffer.from('no PEM').toString('base64')}`, /no certificates found/],
    ['rootCA: /nonexistent.pem', /cannot read rootCA \/nonexistent\.pem/],
    ['clientCert: /nonexistent.pem, clientKey: /nonexistent.key', /cannot read clientCert/],
  ] as const) {
    const { config } = read(settings);
    assert.ok(config);
    assert.throws(() => loadTls(config), words);
  }
});

test('the old keys are one matcher, and count only where the list is empty', () => {
  const old = 'groupSearch: {baseDN: "dc=x", nameAttr: cn, userAttr: DN, groupAttr: member, recursionGroupAttr: member';
  const matchers = (settings: string): unknown => read(settings).config?.groupSearch.userMatchers;
  assert.deepEqual(matchers(`${old}}`), [{ userAttr: 'DN', groupAttr: 'member', recursionGroupAttr: 'member' }]);
  assert.deepEqual(matchers(`${old}, userMatchers: [{userAttr: uid, groupAttr: memberUid}]}`), [
    { userAttr: 'uid', groupAttr: 'memberUid', recursionGroupAttr: '' },
  ]);
  assert.deepEqual(matchers('groupSearch: {baseDN: "dc=x", nameAttr: cn}'), []);
});

test('filters hold what was typed as a value', () => {
  assert.equal(searchFilter('(a=b)', ['uid'], 'x*)(y').toString(), '(&(a=b)(uid=x\\2a\\29\\28y))');
  assert.equal(searchFilter('', ['uid', 'mail'], 'é').toString(), '(|(uid=é)(mail=é))');
  assert.match(
    searchFilter('', ['member:1.2.840.113556.1.4.1941:'], 'cn=a').toString(),
    /member:1\.2\.840\.113556\.1\.4\.1941:=cn=a/,
  );
});

test('values of entries: any case, several, binary ids, the DN', () => {
  const entry = {
    dn: 'cn=x',
    Mail: ['a@b', 'c@d'],
    objectGUID: Buffer.from('00112233445566778899aabbccddeeff', 'hex'),
    empty: [],
  };
  assert.equal(firstValue(entry, 'mAIL'), 'a@b');
  assert.equal(firstValue(entry, 'dn'), 'cn=x');
  assert.equal(firstValue(entry, 'objectguid'), '33221100-5544-7766-8899-aabbccddeeff');
  assert.equal(firstValue(entry, 'empty'), '');
  assert.deepEqual(requestable(['DN', '', 'dn']), ['1.1']);
});

test('accounts that a directory marks as shut', () => {
  assert.equal(isDisabled({ dn: '', userAccountControl: '514' }), true);
  assert.equal(isDisabled({ dn: '', userAccountControl: '512' }), false);
  assert.equal(isDisabled({ dn: '', nsaccountlock: 'TRUE' }), true);
  assert.equal(isDisabled({ dn: '', pwdAccountLockedTime: '000001010000Z' }), true);
  assert.equal(isDisabled({ dn: '' }), false);
});
