/** Owns a provider whose people are in a real OpenLDAP, and logging in at its page: the scenarios of Dex, an Active Directory attribute, a referral. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import type { TestContext } from 'node:test';
import { Attribute, Change, Client } from 'ldapts';
import { startSlapd } from '../../testkit/src/slapd.ts';
import type { Slapd, SlapdOptions } from '../../testkit/src/slapd.ts';
import { authUrl, basic, claimsOf, locationOf, redeem, startTestIdentity } from './test-identity.ts';
import type { TestIdentity, Tokens } from './test-identity.ts';

export const BASE = 'dc=example,dc=org';
export const SEATTLE: string = `ou=Seattle,ou=People,${BASE}`;
export const ROOT: Pick<SlapdOptions, 'rootDN' | 'rootPassword'> = {
  rootDN: `cn=admin,${BASE}`,
  rootPassword: 'admin',
};
const SCENARIOS = path.join(import.meta.dirname, '../src/connectors/ldap/testdata/scenarios.ldif');

/** Active Directory's attribute, a person who has it, and a subtree that lives elsewhere. */
const SCHEMA = `attributetype ( 1.2.840.113556.1.4.8 NAME 'userAccountControl' EQUALITY integerMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.27 SINGLE-VALUE )
objectclass ( 1.2.840.113556.1.5.9.1 NAME 'account2' SUP top AUXILIARY MAY userAccountControl )`;
const MORE = `
dn: cn=addie,${SEATTLE}
objectClass: inetOrgPerson
objectClass: account2
sn: d
cn: addie
mail: addie@example.com
userPassword: foo
userAccountControl: 512

dn: ou=Away,${BASE}
objectClass: referral
objectClass: extensibleObject
ou: Away
ref: ldap://127.0.0.1:1/ou=Away,dc=elsewhere
`;

export type Settings = Record<string, unknown>;

/** `more` is LDIF beside the usual people. */
export function startDirectory(options: Partial<SlapdOptions> & { readonly more?: string } = {}): Promise<Slapd> {
  const { more = '', ...rest } = options;
  const ldif = `${readFileSync(SCENARIOS, 'utf8').trimEnd()}\n${MORE}${more}`;
  return startSlapd({ suffix: BASE, ...ROOT, ldif, schema: SCHEMA, ...rest });
}

export const plain = ({ port }: Slapd): Settings => ({ host: `127.0.0.1:${port}`, insecureNoSSL: true });
export const GROUPS: Settings = { nameAttr: 'cn', userMatchers: [{ userAttr: 'DN', groupAttr: 'member' }] };
export const people = (more: Settings = {}): Settings => ({
  baseDN: SEATTLE,
  username: 'cn',
  nameAttr: 'cn',
  idAttr: 'DN',
  emailAttr: 'mail',
  ...more,
});

/** A provider with one connector for each entry. */
export async function startWithDirectories(
  t: TestContext | undefined,
  connectors: Readonly<Record<string, Settings>>,
): Promise<TestIdentity> {
  const list = Object.entries(connectors).map(([id, settings]) => ({
    type: 'ldap',
    id,
    name: id,
    config: {
      bindDN: ROOT.rootDN,
      bindPW: ROOT.rootPassword,
      userSearch: people(),
      timeout: '2s',
      connectTimeout: '2s',
      ...settings,
    },
  }));
  const identity = await startTestIdentity({ config: `connectors: ${JSON.stringify(list)}\n` });
  t?.after(() => identity.stop());
  return identity;
}

export interface Person {
  readonly connector: string;
  readonly login: string;
  readonly password: string;
}

export async function submit(identity: TestIdentity, { connector, login, password }: Person): Promise<Response> {
  const scope = 'openid profile email groups offline_access';
  const begun = await identity.fetch(authUrl({ scope }, `/dex/auth/${connector}`));
  return await identity.post(begun.headers.get('location') ?? '', { login, password });
}

/** Logs in, redeems, refreshes; the claims must be the same both times. */
export async function identify(
  identity: TestIdentity,
  person: Person,
): Promise<{ claims: Record<string, unknown>; refreshToken: string }> {
  const done = await submit(identity, person);
  assert.equal(done.status, 303, `${person.connector} ${person.login}: ${await done.text()}`);
  const first = (await (await redeem(identity, locationOf(done).searchParams.get('code') ?? '')).json()) as Tokens;
  const next = await refreshAt(identity, first.refresh_token ?? '');
  assert.equal(next.status, 200, JSON.stringify(next.body));
  const stable = (token: string): object => {
    const {
      jti: _jti,
      at_hash: _hash,
      iat: _iat,
      exp: _exp,
      auth_time: _time,
      c_hash: _code,
      ...rest
    } = claimsOf(token);
    return rest;
  };
  assert.deepEqual(stable(next.body.id_token), stable(first.id_token));
  return { claims: claimsOf(first.id_token), refreshToken: next.body.refresh_token ?? '' };
}

export async function refreshAt(identity: TestIdentity, token: string): Promise<{ status: number; body: Tokens }> {
  const form = { grant_type: 'refresh_token', refresh_token: token };
  const response = await identity.post('/dex/token', form, basic('app', 's3cret'));
  return { status: response.status, body: (await response.json()) as Tokens };
}

export async function changeEntry(slapd: Slapd, dn: string, attribute: string, value: string): Promise<void> {
  const client = new Client({ url: `ldap://127.0.0.1:${slapd.port}` });
  await client.bind(ROOT.rootDN, ROOT.rootPassword);
  await client.modify(
    dn,
    new Change({ operation: 'replace', modification: new Attribute({ type: attribute, values: [value] }) }),
  );
  await client.unbind();
}
