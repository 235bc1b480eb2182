/** Owns finding the groups of a person, and the groups of those groups where that is asked for. */
import { AppError } from '@kfctl/core';
import type { Client, Entry, SearchOptions } from 'ldapts';
import { IDENTITY_ERRORS } from '../../errors.ts';
import type { GroupSearch, LdapConfig, UserMatcher } from './ldap-config.ts';
import { firstValue, requestable, valuesOf } from './ldap-entry.ts';
import { searchFilter } from './ldap-filter.ts';
import { resultCode } from './ldap-connection.ts';

const NO_SUCH_OBJECT = 32;
const SIZE_LIMIT_EXCEEDED = 4;
/** Less than any server's limit of a page. */
const PAGE_SIZE = 200;
/** Groups of groups end somewhere: a directory that says otherwise is broken or hostile. */
const MAX_GROUPS = 5000;

/** Names in the order of matchers, then of the server. */
export async function findGroups(client: Client, config: LdapConfig, user: Entry): Promise<readonly string[]> {
  const { groupSearch } = config;
  if (groupSearch.baseDN === '') return [];
  const names: string[] = [];
  for (const matcher of groupSearch.userMatchers) {
    for (const value of valuesOf(user, matcher.userAttr)) {
      const found = await searchGroups(client, groupSearch, { attribute: matcher.groupAttr, value });
      names.push(
        ...(matcher.recursionGroupAttr === '' ? namesOf(found) : await expand(client, groupSearch, { matcher, found })),
      );
    }
  }
  return names;
}

interface Group {
  readonly name: string;
  readonly dn: string;
}

interface Membership {
  readonly attribute: string;
  readonly value: string;
}

async function searchGroups(
  client: Client,
  search: GroupSearch,
  { attribute, value }: Membership,
): Promise<readonly Group[]> {
  const options = {
    scope: search.scope,
    filter: searchFilter(search.filter, [attribute], value),
    attributes: requestable([search.nameAttr]),
  };
  try {
    const entries = await searchAll(client, search.baseDN, options);
    return entries.map((entry) => toGroup(entry, search));
  } catch (error) {
    // No such base: nobody has groups there.
    if (resultCode(error) === NO_SUCH_OBJECT) return [];
    throw error;
  }
}

/** Directories give so many entries at once; Active Directory a thousand, and the others by pages (RFC 2696). */
async function searchAll(client: Client, baseDN: string, options: SearchOptions): Promise<readonly Entry[]> {
  try {
    return (await client.search(baseDN, options)).searchEntries;
  } catch (error) {
    if (resultCode(error) !== SIZE_LIMIT_EXCEEDED) throw error;
    return (await client.search(baseDN, { ...options, paged: { pageSize: PAGE_SIZE } })).searchEntries;
  }
}

function toGroup(entry: Entry, { nameAttr }: GroupSearch): Group {
  const name = firstValue(entry, nameAttr);
  if (name !== '') return { name, dn: entry.dn };
  throw new AppError(IDENTITY_ERRORS.connectorFailed, `ldap: the group ${entry.dn} lacks ${nameAttr}`, {
    hint: 'Correct groupSearch.nameAttr.',
  });
}

interface Expansion {
  readonly matcher: UserMatcher;
  readonly found: readonly Group[];
}

// Breadth first, each name once: that also ends circles.
async function expand(client: Client, search: GroupSearch, { matcher, found }: Expansion): Promise<readonly string[]> {
  const seen = new Map<string, Group>();
  let level = found;
  while (level.length > 0) {
    const fresh = level.filter(
      (group, index) => !seen.has(group.name) && level.findIndex((other) => other.name === group.name) === index,
    );
    for (const group of fresh) seen.set(group.name, group);
    if (seen.size > MAX_GROUPS)
      throw new AppError(IDENTITY_ERRORS.connectorFailed, `ldap: more than ${MAX_GROUPS} nested groups`);
    const next: Group[] = [];
    for (const { dn } of fresh) {
      next.push(...(await searchGroups(client, search, { attribute: matcher.recursionGroupAttr, value: dn })));
    }
    level = next;
  }
  return [...seen.keys()];
}

function namesOf(groups: readonly Group[]): readonly string[] {
  return groups.map((group) => group.name);
}
