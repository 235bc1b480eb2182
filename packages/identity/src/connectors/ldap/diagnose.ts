/** Owns the questions that tell an operator why a search found nothing. Of entries it tells names and attribute names; values only of groups. */
import type { Client, Entry, Filter } from 'ldapts';
import type { LdapConfig, UserMatcher } from './ldap-config.ts';
import { resultCode } from './ldap-connection.ts';
import { valuesOf } from './ldap-entry.ts';
import { searchFilter } from './ldap-filter.ts';

const NO_SUCH_OBJECT = 32;

interface Place {
  readonly baseDN: string;
  readonly scope: 'sub' | 'one';
  readonly filter: string | Filter;
}

/** Why nobody has this name. */
export async function whyNoUser(client: Client, { userSearch }: LdapConfig, username: string): Promise<string> {
  const { filter, username: attributes, ...place } = userSearch;
  const names = attributes.join(' or ');
  const kept = await firstOf(client, { ...place, filter: searchFilter('', attributes, username) });
  if (kept !== undefined) return `userSearch.filter keeps out ${kept.dn}: correct the filter.`;
  const having = attributes.map((name) => `(${name}=*)`).join('');
  const named = await firstOf(client, { ...place, filter: `(&${filter}(|${having}))` });
  if (named !== undefined)
    return `Nobody below baseDN has this ${names}; ${named.dn} has one. Look for a typing mistake, or correct userSearch.`;
  const example = await firstOf(client, { ...place, filter });
  if (example === undefined) return `Nothing below baseDN matches userSearch.filter, or ${READING}`;
  return `${example.dn} has no ${names}, but ${attributeNames(example)}: correct userSearch.username.`;
}

const READING = 'the service account may not read it: correct userSearch.baseDN or filter, or its rights.';

/** Why a person is in no group, which need not be a mistake. */
export async function whyNoGroups(client: Client, { groupSearch }: LdapConfig, user: Entry): Promise<string> {
  const { userMatchers, ...place } = groupSearch;
  const [matcher] = userMatchers;
  if (matcher === undefined) return 'groupSearch does not say who belongs to a group: set userMatchers.';
  try {
    const example = await firstOf(client, place);
    if (example === undefined)
      return `Nothing below groupSearch.baseDN matches its filter, or ${READING.replace('userSearch', 'groupSearch')}`;
    return compare(example, user, matcher);
  } catch (error) {
    if (resultCode(error) === NO_SUCH_OBJECT) return `groupSearch.baseDN does not exist.${await whatExists(client)}`;
    throw error;
  }
}

function compare(group: Entry, user: Entry, { userAttr, groupAttr }: UserMatcher): string {
  const [wanted] = valuesOf(user, userAttr);
  if (wanted === undefined) return `The person has no ${userAttr}: correct userAttr.`;
  const [held] = valuesOf(group, groupAttr.split(':')[0] ?? '');
  if (held === undefined) return `${group.dn} has no ${groupAttr}, but ${attributeNames(group)}: correct groupAttr.`;
  return `Searched was ${groupAttr} ${wanted}; ${group.dn} has ${held}. If these are of one kind, the person is in no group; otherwise correct userAttr.`;
}

/** What the server calls its own, as the continuation of a hint; empty where it does not say. */
export async function whatExists(client: Client): Promise<string> {
  const root = await client
    .search('', { scope: 'base', attributes: ['namingContexts'] })
    .catch(() => ({ searchEntries: [] as Entry[] }));
  const [entry] = root.searchEntries;
  const names = entry === undefined ? [] : valuesOf(entry, 'namingContexts');
  return names.length === 0 ? '' : ` The server has ${names.join(', ')}.`;
}

/** The names of all attributes that an entry has. */
export async function attributesOfEntry(client: Client, dn: string): Promise<string> {
  const { searchEntries } = await client.search(dn, { scope: 'base', attributes: ['*'] });
  const [entry] = searchEntries;
  return entry === undefined ? 'nothing that may be read' : attributeNames(entry);
}

/** One entry below the base is enough, and a directory may refuse to give all. */
async function firstOf(client: Client, { baseDN, scope, filter }: Place): Promise<Entry | undefined> {
  const options = {
    scope,
    filter: filter === '' ? '(objectClass=*)' : filter,
    attributes: ['*'],
    paged: { pageSize: 1 },
  };
  for await (const { searchEntries } of client.searchPaginated(baseDN, options)) {
    const found = searchEntries.find(({ dn }) => dn.toLowerCase() !== baseDN.toLowerCase());
    if (found !== undefined) return found;
  }
  return undefined;
}

function attributeNames(entry: Entry): string {
  const names = Object.keys(entry).filter((name) => !['dn', '*'].includes(name) && !/password/i.test(name));
  return names.length === 0 ? 'no attribute that may be read' : names.join(', ');
}
