/**
 * Owns the connector `ldap`.
 *
 *   name ──► search as the service account ──► one entry ──► bind as that entry with the password ──► groups ──► identity
 */
import type { Entry } from 'ldapts';
import type { Authenticated, ConnectorScopes, ConnectorType, LoginOutcome, PasswordCredentials } from '../connector.ts';
import { findGroups } from './find-groups.ts';
import { findUser, isDisabled, readIdentity } from './find-user.ts';
import { ldapSchema } from './ldap-config.ts';
import type { LdapConfig } from './ldap-config.ts';
import { failedTo } from './result-codes.ts';
import { resultCode } from './ldap-connection.ts';
import { createLdapPool } from './ldap-pool.ts';
import type { LdapPool } from './ldap-pool.ts';

/** RFC 4511 §4.1.9: invalidCredentials, constraintViolation (locked by policy), inappropriateAuthentication (has no password). */
const REFUSALS: ReadonlySet<number> = new Set([49, 19, 48]);

export const ldap: ConnectorType<LdapConfig> = {
  type: 'ldap',
  schema: ldapSchema,
  open: (config, { log, clock }) => {
    const pool = createLdapPool({ server: config, clock, log });
    return Promise.resolve({
      password: {
        prompt: config.usernamePrompt,
        login: (credentials, scopes) => login(pool, config, { credentials, scopes }),
      },
      refresh: { refresh: (known, scopes) => refresh(pool, config, { known, scopes }) },
      close: () => pool.close(),
    });
  },
  check: async (config, person) => {
    const { checkLdap } = await import('./check-ldap.ts');
    const steps = await checkLdap(config, person);
    const lines = steps.flatMap(({ ok, name, sent, answer, hint }) => [
      `${ok ? 'ok  ' : 'FAIL'} ${name}: ${answer}`,
      `       sent: ${sent}`,
      ...(hint === undefined ? [] : [`       next: ${hint}`]),
    ]);
    return { ok: steps.at(-1)?.ok === true, lines };
  },
};

function userSearchFailed({ userSearch }: LdapConfig): (error: unknown) => never {
  return failedTo(`cannot search people below ${userSearch.baseDN}`);
}

interface Login {
  readonly credentials: PasswordCredentials;
  readonly scopes: ConnectorScopes;
}

async function login(pool: LdapPool, config: LdapConfig, { credentials, scopes }: Login): Promise<LoginOutcome> {
  const { username, password } = credentials;
  // A bind with a name and no password succeeds as nobody (RFC 4513 §5.1.2): it must never be asked for.
  if (password === '' || username === '') return { kind: 'denied', reason: 'empty name or password' };
  const entry = await pool
    .use('search', (client) => findUser(client, config, username))
    .catch(userSearchFailed(config));
  if (entry === undefined) return { kind: 'denied', reason: 'unknown user' };
  const refused = await tryPassword(pool, entry.dn, password);
  if (refused !== undefined) return { kind: 'denied', reason: refused };
  if (isDisabled(entry)) return { kind: 'denied', reason: 'account is disabled' };
  return await identify(pool, config, { entry, scopes, username });
}

/** Undefined when the directory takes the password, otherwise what it said. */
export async function tryPassword(pool: LdapPool, dn: string, password: string): Promise<string | undefined> {
  try {
    await pool.use('bind', (client) => client.bind(dn, password));
    return undefined;
  } catch (error) {
    const code = resultCode(error);
    if (code === undefined || !REFUSALS.has(code)) return failedTo(`cannot bind as ${dn}`)(error);
    return describeRefusal(error, code);
  }
}

// Active Directory hides the true reason in the text of the answer.
const AD_REASONS: Readonly<Record<string, string>> = {
  '525': 'unknown user',
  '52e': 'wrong password',
  '530': 'not permitted at this time',
  '531': 'not permitted from here',
  '532': 'password expired',
  '533': 'account is disabled',
  '701': 'account expired',
  '773': 'password must be changed',
  '775': 'account is locked',
};

function describeRefusal(error: unknown, code: number): string {
  const data = error instanceof Error ? /\bdata ([0-9a-f]{3})\b/.exec(error.message)?.[1] : undefined;
  return AD_REASONS[data ?? ''] ?? (code === 49 ? 'wrong password' : `refused with result code ${code}`);
}

interface Found {
  readonly entry: Entry;
  readonly scopes: ConnectorScopes;
  readonly username: string;
}

async function identify(pool: LdapPool, config: LdapConfig, { entry, scopes, username }: Found): Promise<LoginOutcome> {
  const identity = readIdentity(entry, config);
  const find = async (): Promise<readonly string[]> =>
    await pool
      .use('search', (client) => findGroups(client, config, entry))
      .catch(failedTo(`cannot search groups below ${config.groupSearch.baseDN}`));
  const groups = scopes.groups ? await find() : [];
  const known = { identity: { ...identity, groups } };
  if (!scopes.offlineAccess) return { kind: 'authenticated', ...known };
  return { kind: 'authenticated', ...known, connectorData: rememberUser(username, entry) };
}

interface Refresh {
  readonly known: Authenticated;
  readonly scopes: ConnectorScopes;
}

/** Looks again, without the password: the same name must still be the same entry, and not shut. */
async function refresh(pool: LdapPool, config: LdapConfig, { known, scopes }: Refresh): Promise<LoginOutcome> {
  const remembered = recallUser(known.connectorData);
  if (remembered === undefined) return { kind: 'denied', reason: 'nothing is known of the login' };
  const entry = await pool
    .use('search', (client) => findUser(client, config, remembered.username))
    .catch(userSearchFailed(config));
  if (entry === undefined) return { kind: 'denied', reason: 'user is gone' };
  if (!sameDn(entry.dn, remembered.dn)) return { kind: 'denied', reason: 'the name belongs to another entry now' };
  if (isDisabled(entry)) return { kind: 'denied', reason: 'account is disabled' };
  return await identify(pool, config, { entry, scopes, username: remembered.username });
}

// The shape is Dex's, so that its refresh tokens go on working.
function rememberUser(username: string, entry: Entry): Buffer {
  return Buffer.from(JSON.stringify({ username, entry: { DN: entry.dn } }));
}

function recallUser(data: Buffer | undefined): { readonly username: string; readonly dn: string } | undefined {
  try {
    const value = JSON.parse(data?.toString('utf8') ?? '') as { username?: unknown; entry?: { DN?: unknown } };
    const { username, entry } = value;
    if (typeof username !== 'string' || typeof entry?.DN !== 'string') return undefined;
    return { username, dn: entry.DN };
  } catch {
    return undefined;
  }
}

function sameDn(left: string, right: string): boolean {
  const plain = (dn: string): string => dn.toLowerCase().replaceAll(/\s*([,=+])\s*/g, '$1');
  return plain(left) === plain(right);
}
