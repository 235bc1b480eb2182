/** Owns the configuration of the LDAP connector: Dex's keys, and a few more. */
import type { Secret } from '@kfctl/core';
import { object } from '../../config/object-shape.ts';
import {
  boolean,
  duration,
  integer,
  listOf,
  mapped,
  oneOf,
  refine,
  report,
  secret,
  string,
} from '../../config/shape.ts';
import type { Shape } from '../../config/shape.ts';
import { isNull } from '../../config/yaml-tree.ts';
import { isFilter, tidyFilter } from './filter-text.ts';

export interface UserMatcher {
  readonly userAttr: string;
  readonly groupAttr: string;
  readonly recursionGroupAttr: string;
}

export interface UserSearch {
  readonly baseDN: string;
  readonly filter: string;
  /** One of them has to match what was typed. */
  readonly username: readonly string[];
  readonly scope: 'sub' | 'one';
  readonly idAttr: string;
  readonly emailAttr: string;
  readonly nameAttr: string;
  readonly preferredUsernameAttr: string;
  readonly emailSuffix: string;
}

export interface GroupSearch {
  readonly baseDN: string;
  readonly filter: string;
  readonly scope: 'sub' | 'one';
  readonly nameAttr: string;
  readonly userMatchers: readonly UserMatcher[];
}

/** How the connection is made. */
export interface LdapServer {
  /** Tried in this order, starting with the one that answered last. */
  readonly hosts: readonly LdapHost[];
  readonly security: 'none' | 'starttls' | 'ldaps';
  readonly insecureSkipVerify: boolean;
  readonly rootCA: string;
  readonly rootCAData: string;
  readonly clientCert: string;
  readonly clientKey: string;
  readonly bindDN: string;
  readonly bindPW: Secret;
  readonly connectTimeoutMs: number;
  readonly timeoutMs: number;
  readonly maxConnections: number;
}

export interface LdapHost {
  readonly name: string;
  readonly port: number;
}

export interface LdapConfig extends LdapServer {
  readonly usernamePrompt: string;
  readonly userSearch: UserSearch;
  readonly groupSearch: GroupSearch;
}

const scope = oneOf('`sub` searches below the base at any depth, `one` directly below it.', {
  values: ['sub', 'one'],
  fallback: 'sub',
});

const textOrList: Shape<readonly string[]> = {
  ...string('The attribute that is compared with what was typed; several as a list.', { required: true }),
  kind: 'string or list of string',
  read: (node, context) => {
    const summary = 'The attribute that is compared with what was typed.';
    if (!isNull(node) && node.kind === 'list') {
      const list = listOf(summary, string(summary, { required: true })).read(node, context);
      if (list.length === 0) report(context, node, { message: 'is empty', hint: 'Name the attribute, usually uid.' });
      return list;
    }
    const single = string(summary, { required: true }).read(node, context);
    return single === '' ? [] : [single];
  },
};

const filter = refine(
  mapped(string('An LDAP filter, with its parentheses, that entries must match too.'), tidyFilter),
  (text, complain) => {
    if (text !== '' && !isFilter(text))
      complain(
        '',
        'is not an LDAP filter',
        'Each condition stands in parentheses: (objectClass=person), (&(objectClass=person)(l=Athens)).',
      );
  },
);

const matcher: Shape<UserMatcher> = object('How people and groups find each other.', {
  userAttr: string('Attribute of the person; DN means their name in the directory.', { required: true }),
  groupAttr: string('Attribute of the group that must hold that value, for example member.', { required: true }),
  recursionGroupAttr: string('Attribute by which groups hold groups; looks for the groups of groups, at any depth.'),
});

const KERBEROS_KEYS = [
  'keytabPath',
  'spn',
  'keytabPrincipal',
  'maxClockSkew',
  'expectedRealm',
  'usernameFromPrincipal',
  'fallbackToPassword',
] as const;

const document = object('An LDAP directory: OpenLDAP, Active Directory and their like.', {
  host: string('host or host:port; several, divided by commas, for fail-over.', { required: true }),
  insecureNoSSL: boolean('Plain text: everybody on the way can read passwords.'),
  insecureSkipVerify: boolean('Do not check the certificate of the server.'),
  startTLS: boolean('Start in plain text and change to TLS before anything is sent.'),
  rootCA: string('File with the certificate authorities to trust (PEM) instead of the system’s.'),
  rootCAData: string('The same as base64 of the PEM text; wins over rootCA.'),
  clientCert: string('Client certificate file (PEM); needs clientKey.'),
  clientKey: string('Client key file (PEM).'),
  bindDN: string('The service account that searches; without it the directory is searched anonymously.'),
  bindPW: secret('Its password. A $ in it must come through an environment variable: "$LDAP_BINDPW".'),
  usernamePrompt: string('Label of the name field.', { fallback: 'Username' }),
  connectTimeout: duration('Longest wait for a connection, TLS and bind included.', '5s'),
  timeout: duration('Longest wait for one answer.', '10s'),
  maxConnections: integer('Most connections at a time.', { fallback: 20, min: 1, max: 1000 }),
  userSearch: object('Finds a person by what they typed.', {
    baseDN: string('Where to search.', { required: true }),
    filter,
    username: textOrList,
    scope,
    idAttr: string('Stable id; part of `sub`. For example uid, entryUUID or objectGUID.', { required: true }),
    emailAttr: string('Claim email; needed without emailSuffix.'),
    nameAttr: string('Claim name.'),
    preferredUsernameAttr: string('Claim preferred_username.'),
    emailSuffix: string('Makes the e-mail address of nameAttr, @ and this.'),
  }),
  kerberos: object('Login without a form (SPNEGO); not there.', {
    enabled: boolean('Must be off.'),
    ...Object.fromEntries(KERBEROS_KEYS.map((key) => [key, string('Of no effect.')])),
  }),
  groupSearch: object('Finds the groups of a person; nothing is searched without baseDN.', {
    baseDN: string('Where to search.'),
    filter,
    scope,
    nameAttr: string('The attribute that is the name of a group.'),
    userMatchers: listOf('Several ways to belong to a group.', matcher),
    userAttr: string('Old form of one matcher.'),
    groupAttr: string('Old form of one matcher.'),
    recursionGroupAttr: string('Old form of one matcher.'),
  }),
});

const checked = refine(document, (config, complain, context) => {
  if (config.host !== '' && parseHosts(config.host, 0) === undefined) {
    complain('host', 'is not host or host:port', 'Write for example ldap.example.com:636.');
  }
  const { emailAttr, emailSuffix, nameAttr } = config.userSearch;
  if (emailAttr === '' && emailSuffix === '') complain('userSearch', 'says nothing about e-mail', 'Set emailAttr.');
  if (emailSuffix !== '' && nameAttr === '')
    complain('userSearch', 'has emailSuffix without nameAttr', 'Set nameAttr.');
  if (config.groupSearch.baseDN !== '' && config.groupSearch.nameAttr === '') {
    complain('groupSearch', 'has no nameAttr', 'Set it, usually to cn.');
  }
  if (config.kerberos.enabled)
    complain('kerberos', 'is not supported', 'Log in with passwords, or let a proxy do it (connector authproxy).');
  if ((config.clientCert === '') !== (config.clientKey === ''))
    complain('clientKey', 'goes with clientCert', 'Set both.');
  if (config.insecureNoSSL && config.startTLS) {
    const at = { offset: context.offset, path: `${context.path}.insecureNoSSL` };
    context.problems.warn({ ...at, message: 'wins over startTLS: the connection is plain text', hint: 'Remove one.' });
  }
});

export const ldapSchema: Shape<LdapConfig> = mapped(checked, ({ host, startTLS, insecureNoSSL, ...config }) => {
  const security = insecureNoSSL ? 'none' : startTLS ? 'starttls' : 'ldaps';
  return {
    ...config,
    security,
    // StartTLS begins in plain text, which is port 389's business; 636 speaks TLS from the first byte.
    hosts: parseHosts(host, security === 'ldaps' ? 636 : 389) ?? [],
    connectTimeoutMs: config.connectTimeout,
    timeoutMs: config.timeout,
    groupSearch: { ...config.groupSearch, userMatchers: matchersOf(config.groupSearch) },
  };
});

type OldGroupSearch = Pick<GroupSearch, 'userMatchers'> & UserMatcher;

// The old keys count when the list does not say whom to match.
function matchersOf({ userMatchers, userAttr, groupAttr, recursionGroupAttr }: OldGroupSearch): readonly UserMatcher[] {
  if (userMatchers.length > 0 || userAttr === '') return userMatchers;
  return [{ userAttr, groupAttr, recursionGroupAttr }];
}

/** `a`, `a:636`, `[::1]:636`, `::1`, divided by commas or white space. */
export function parseHosts(text: string, defaultPort: number): readonly LdapHost[] | undefined {
  const hosts = text
    .split(/[\s,]+/)
    .filter((part) => part !== '')
    .map((part) => parseHost(part, defaultPort));
  const known = hosts.filter((host) => host !== undefined);
  return known.length === hosts.length && known.length > 0 ? known : undefined;
}

function parseHost(text: string, defaultPort: number): LdapHost | undefined {
  const match =
    /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]/]+)|([0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*))(?::(\d{1,5}))?$/.exec(text);
  const name = match?.[1] ?? match?.[2] ?? match?.[3];
  if (name === undefined) return undefined;
  const port = match?.[4] === undefined ? defaultPort : Number(match[4]);
  return port <= 65_535 ? { name, port } : undefined;
}
