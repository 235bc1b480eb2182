/** Owns finding a person in the directory and reading who they are. */
import { AppError } from '@kfctl/core';
import type { Client, Entry } from 'ldapts';
import { IDENTITY_ERRORS } from '../../errors.ts';
import type { Identity } from '../connector.ts';
import type { LdapConfig } from './ldap-config.ts';
import { firstValue, requestable } from './ldap-entry.ts';
import { searchFilter } from './ldap-filter.ts';

/** By which servers say that an account is shut: Active Directory, 389 Directory Server, OpenLDAP's password policy. */
const LOCK_ATTRIBUTES = ['userAccountControl', 'nsAccountLock', 'pwdAccountLockedTime'];

/** The one entry of a name; undefined when there is none. Throws when there are several or the directory cannot say. */
export async function findUser(client: Client, config: LdapConfig, username: string): Promise<Entry | undefined> {
  const { userSearch, groupSearch } = config;
  const { idAttr, emailAttr, nameAttr, preferredUsernameAttr } = userSearch;
  const wanted = [idAttr, emailAttr, nameAttr, preferredUsernameAttr, ...userSearch.username];
  const matched = groupSearch.userMatchers.map((matcher) => matcher.userAttr);
  const { searchEntries } = await client.search(userSearch.baseDN, {
    scope: userSearch.scope,
    filter: searchFilter(userSearch.filter, userSearch.username, username),
    attributes: requestable([...wanted, ...matched, ...LOCK_ATTRIBUTES]),
    explicitBufferAttributes: ['objectGUID', 'objectSid'],
  });
  if (searchEntries.length > 1) {
    throw new AppError(IDENTITY_ERRORS.connectorFailed, `ldap: ${searchEntries.length} entries match one user name`, {
      hint: 'Make userSearch.baseDN, filter or username narrower.',
    });
  }
  return searchEntries[0];
}

/** Reads an entry as an identity; throws naming every attribute that is configured and missing. */
export function readIdentity(entry: Entry, { userSearch }: LdapConfig): Identity {
  const { idAttr, emailAttr, nameAttr, preferredUsernameAttr, emailSuffix } = userSearch;
  const required = [idAttr, nameAttr, preferredUsernameAttr, emailSuffix === '' ? emailAttr : ''];
  const missing = required.filter((attribute) => attribute !== '' && firstValue(entry, attribute) === '');
  if (missing.length > 0) {
    throw new AppError(IDENTITY_ERRORS.connectorFailed, `ldap: the entry lacks ${missing.join(', ')}`, {
      hint: 'Correct the attribute names of userSearch, or fill the attributes in the directory.',
    });
  }
  const username = firstValue(entry, nameAttr);
  return {
    userId: firstValue(entry, idAttr),
    username,
    preferredUsername: firstValue(entry, preferredUsernameAttr),
    email: emailSuffix === '' ? firstValue(entry, emailAttr) : `${username}@${emailSuffix}`,
    emailVerified: true,
    groups: [],
  };
}

const AD_DISABLED = 0x2;

/** Whether the directory marks the account as shut; what cannot be read counts as open. */
export function isDisabled(entry: Entry): boolean {
  const control = Number(firstValue(entry, 'userAccountControl'));
  if (Number.isInteger(control) && (control & AD_DISABLED) !== 0) return true;
  if (firstValue(entry, 'nsAccountLock').toLowerCase() === 'true') return true;
  return firstValue(entry, 'pwdAccountLockedTime') === '000001010000Z';
}
