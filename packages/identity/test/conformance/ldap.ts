/** Owns the rows about LDAP: the outcomes at the login page, the scenarios of Dex's own tests, and what OpenLDAP answers. */
import { held } from './held-by.ts';
import type { HeldBy } from './held-by.ts';
import type { Row, Section } from './row.ts';

const PAGE = 'test/ldap-login-page.test.ts';
const DYING = 'test/ldap-fail-over.test.ts';
const CONNECTOR = 'src/connectors/ldap/ldap-connector.test.ts';
const CONFIG = 'src/connectors/ldap/ldap-config.test.ts';

const kept = (id: string, fact: string, ...by: readonly HeldBy[]): Row => held({ id, fact, stand: 'kept', by });
const letsIn = (...who: readonly string[]): HeldBy => [PAGE, ...who.map((words) => `lets in by ${words}`)];
const again = (...pairs: readonly (readonly [string, string])[]): HeldBy => [
  PAGE,
  ...pairs.map(([login, password]) => `shows the form again to "${login}" with "${password}"`),
];
const failing = (...connectors: readonly string[]): HeldBy => [
  PAGE,
  ...connectors.map((name) => `says no more than that something is wrong: ${name}`),
];

export const LDAP_OUTCOMES: Section = {
  id: '3.5',
  title: 'LDAP: what the login page answers',
  rows: [
    kept('good', 'The right name and password go back to the client by 303.', letsIn('plain: jane', 'plain: john')),
    kept('wrong-password', 'A wrong password is 401 and the form again.', again(['jane', 'wrong'])),
    kept('unknown-user', 'A name that nobody has is 401 and the form again.', again(['nobody', 'foo'])),
    kept(
      'empty-password',
      'An empty password is 401; the directory is not asked, where it would mean nobody.',
      again(['john', '']),
      [CONNECTOR, 'wrong and empty passwords, unknown names, wild cards and injections are refused'],
    ),
    kept('wild-cards', 'A star in name or password is a star: 401.', again(['j*', 'foo'], ['jane', '*'])),
    kept('injection', 'A name that is a filter is a name: 401.', again(['*)(uid=*', 'foo'], ['jane)(|(cn=*', 'foo'])),
    kept('no-password', 'A person without a password in the directory is 401.', again(['nopassword', 'foo'])),
    kept('down', 'A directory that cannot be reached is 500 “Login error…”.', failing('down')),
    kept(
      'service-account',
      'A wrong password of the service account is 500, not the person’s fault.',
      failing('wrongService'),
    ),
    kept('base-missing', 'A user base that does not exist is 500.', failing('noBase')),
    kept('two-matches', 'A name that two people have is 500.', failing('twoMatches')),
    kept('missing-mail', 'A person without the attribute of the address is 500, and only the log names it.', [
      PAGE,
      'an entry that lacks the address is an error that only the log names',
    ]),
    kept('tls', 'A certificate that is not trusted, or of another name, is 500.', failing('untrusted', 'wrongName')),
    kept(
      'starttls-refused',
      'A directory without TLS that is asked for StartTLS is 500; nothing is sent in plain text.',
      failing('plainAtTls'),
      [DYING, 'a directory without TLS that is asked for StartTLS or LDAPS logs nobody in'],
    ),
    kept('referral', 'A user base that lives in another directory is 500.', failing('away')),
    held({
      id: 'disabled',
      fact: 'An account that the directory marks as disabled is 401 at the page and invalid_grant at a refresh.',
      stand: 'safer',
      dex: 'Refreshes for as long as the entry is there.',
      why: 'Whoever has left must not keep what they had.',
      by: [
        [PAGE, 'an account that is disabled afterwards is refused at the refresh and at the page'],
        [CONFIG, 'accounts that a directory marks as shut'],
      ],
    }),
    kept(
      'nothing-told',
      'No page names hosts, entries, filters or result codes, and no log line holds a password.',
      failing('down', 'twoMatches'),
      [PAGE, 'passwords and service secrets are in no log line'],
    ),
  ],
};

export const LDAP_SCENARIOS: Section = {
  id: '3.6',
  title: 'LDAP: the scenarios of Dex’s own tests',
  rows: [
    kept(
      'query',
      'Two people log in by cn, their DN is their id, and a refresh says the same.',
      letsIn('plain: jane', 'plain: john'),
      [CONNECTOR, 'a plain query: the DN is the id; a $ in the service password comes through the environment'],
    ),
    kept(
      'email-suffix',
      'emailSuffix makes the address of the name, whether or not there is one in the directory.',
      letsIn('suffix: jane', 'suffix: nomail'),
    ),
    kept('user-filter', 'A filter chooses between two people of one name.', letsIn('filter: jane'), [
      CONNECTOR,
      'a filter chooses between two people of one name; without it the login fails as an error',
    ]),
    kept(
      'username-list',
      'A list of attributes lets a person in by any of them.',
      letsIn('list: jane', 'list: janedoe@example.com'),
    ),
    kept('group-query', 'Groups that hold the person’s DN.', letsIn('plain: jane', 'plain: john')),
    kept(
      'groups-on-user',
      'Groups by several numbers on the person’s own entry.',
      letsIn('numbers: jane', 'numbers: john'),
    ),
    kept(
      'group-filter',
      'A filter keeps groups of other branches out; DN is written in any case.',
      letsIn('groupFilter: jane', 'groupFilter: john'),
    ),
    kept(
      'user-matchers',
      'Two matchers give groups of both kinds, in the order of the matchers.',
      letsIn('matchers: jane', 'matchers: john'),
    ),
    kept('old-keys', 'The old keys userAttr and groupAttr are one matcher.', letsIn('old: jane', 'old: john')),
    kept(
      'starttls',
      'StartTLS with an authority from a file or from the settings.',
      letsIn('starttls: jane', 'caInTheFile: jane'),
    ),
    kept(
      'ldaps',
      'LDAPS with an authority from a file, and with a client certificate.',
      letsIn('ldaps: jane', 'certificate: jane'),
      [DYING, 'a directory that demands a client certificate lets in who shows one'],
    ),
    kept('skip-verify', 'insecureSkipVerify asks no certificate to be good.', letsIn('unchecked: jane')),
    kept(
      'nested',
      'Groups of groups at any depth, each once, circles included.',
      letsIn('nested: jane', 'nested: john'),
    ),
    kept('prompt', 'The label is Username unless usernamePrompt says otherwise.', again(['jane', 'wrong']), [
      CONNECTOR,
      'both people log in with their names and groups',
    ]),
    held({
      id: 'username-kinds',
      fact: 'username is one attribute or a list; an empty one is a mistake of the file, a number is taken as text.',
      stand: 'more',
      dex: 'Finds an empty one when the connector is opened, takes an empty list, and refuses a number.',
      why: 'A mistake is told with its line before anybody logs in.',
      by: [[CONFIG, 'a user name attribute is a name, a list of names, never none']],
    }),
    held({
      id: 'special-names',
      fact: 'Names and passwords with parentheses, stars, backslashes, accents and dollars log in; DNs with commas, plus signs and quotes have groups.',
      stand: 'more',
      dex: 'Escapes a name twice, so such people cannot log in.',
      why: 'A name is sent as a value of its own and escaped once, by the protocol.',
      by: [
        letsIn('plain: paren (x) * \\\\ back', 'plain: Éléonore', 'plain: Doe, Max + "Mad"', 'byUid: a(b)*c\\\\d'),
        [CONNECTOR, 'names and passwords with special characters log in'],
      ],
    }),
    held({
      id: 'attribute-case',
      fact: 'Attribute names are the same in any case.',
      stand: 'more',
      dex: 'Finds an attribute only in the spelling that the server answers with.',
      why: 'RFC 4512 §2.5.',
      by: [letsIn('anyCase: jane'), [CONNECTOR, 'attribute names are the same in any case']],
    }),
    kept('anonymous', 'Without bindDN and bindPW the directory is searched as nobody.', letsIn('anonymous: jane')),
    kept('group-base-missing', 'A group base that does not exist means no groups.', letsIn('noGroups: jane')),
    kept(
      'referral-inside',
      'References to other directories inside the searched tree are passed over.',
      letsIn('wholeTree: janedoe@example.com'),
    ),
    held({
      id: 'fail-over',
      fact: 'Of several hosts the next serves when one is down, for logins and refreshes, and a killed one is used again when it is back.',
      stand: 'more',
      dex: 'Knows one host and opens a connection for every search.',
      why: 'A directory that is restarted must lock nobody out.',
      by: [
        letsIn('second: jane'),
        [DYING, 'logins and refreshes go over to the next host, and come back to a lone one that was restarted'],
        [CONNECTOR, 'a restart of the directory is survived by kept connections'],
      ],
    }),
    held({
      id: 'silent-server',
      fact: 'A directory that accepts a connection and never answers is given up in time.',
      stand: 'more',
      dex: 'Waits without limit.',
      why: 'One dead host must not hold every login.',
      by: [[CONNECTOR, 'a server that never answers is given up in time']],
    }),
    kept('env-password', 'A $ in bindPW comes through the environment.', [
      CONNECTOR,
      'a plain query: the DN is the id; a $ in the service password comes through the environment',
    ]),
    held({
      id: 'refresh-identity',
      fact: 'A refresh looks the name up again and ends where it is gone or belongs to another entry.',
      stand: 'safer',
      dex: 'Answers 500 and keeps the token.',
      why: 'A person who is gone is no failure; the token dies with them.',
      by: [[CONNECTOR, 'a refresh ends for a person who is gone or whose name is another entry now']],
    }),
    held({
      id: 'filter-layout',
      fact: 'A filter may be written over several lines; one that no server would take is a mistake of the file.',
      stand: 'more',
      dex: 'Pastes the text in; the first login finds out.',
      why: 'A mistake is told with its line before anybody logs in.',
      by: [[CONFIG, 'a filter in any layout is taken, and nothing that would fail at the first login']],
    }),
  ],
};

export const LDAP_SERVER: Section = {
  id: '3.7',
  title: 'LDAP: what OpenLDAP does',
  rows: [
    kept('seed', 'The seed document’s LDIF loads as it is, and its two people log in with their groups.', [
      CONNECTOR,
      'both people log in with their names and groups',
    ]),
    kept('no-such-base', 'noSuchObject is no groups at the group base and an error at the user base.', [
      CONNECTOR,
      'a group base that does not exist means no groups, a user base that does not exist is an error',
    ]),
    kept(
      'referral',
      'A base that is a referral is an error, a reference inside the tree is none.',
      failing('away'),
      letsIn('wholeTree: janedoe@example.com'),
    ),
    kept('dn-filter', 'Extensible filters such as (ou:dn:=Seattle) are sent as they are.', letsIn('filter: jane'), [
      CONFIG,
      'filters hold what was typed as a value',
    ]),
    kept('load', '200 logins at once share a few connections, and nobody gets another’s identity.', [
      CONNECTOR,
      '200 logins at once share a few connections and mix nobody up',
    ]),
  ],
};
