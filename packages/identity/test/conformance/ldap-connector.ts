/** Owns the rows about the LDAP connector itself: its options, how it logs somebody in, finds groups and refreshes. */
import { held } from './held-by.ts';
import type { HeldBy } from './held-by.ts';
import type { Row, Section } from './row.ts';

const PAGE = 'test/ldap-login-page.test.ts';
const DYING = 'test/ldap-fail-over.test.ts';
const CONNECTOR = 'src/connectors/ldap/ldap-connector.test.ts';
const CONFIG = 'src/connectors/ldap/ldap-config.test.ts';
const OPTIONS = 'src/connectors/dex-options.test.ts';

const kept = (id: string, fact: string, ...by: readonly HeldBy[]): Row => held({ id, fact, stand: 'kept', by });

const SECURITY = 'what secures the connection, and the port where none is given';
const AUTHORITY = 'an authority in the settings wins over a file, and must be one';
const REFUSALS = 'wrong and empty passwords, unknown names, wild cards and injections are refused';
const VALUES = 'values of entries: any case, several, binary ids, the DN';

export const LDAP_OPTIONS: Section = {
  id: '3.1',
  title: 'LDAP: options',
  rows: [
    kept('keys', 'Every key of Dex is known.', [OPTIONS, 'ldap: every option of Dex is known']),
    held({
      id: 'port',
      fact: 'Without a port it is 636 for LDAPS, and 389 for plain text and StartTLS.',
      stand: 'other',
      dex: 'Takes 636 for StartTLS, against its own comment.',
      why: 'StartTLS begins in plain text, which is what listens at 389, and the seed document says so.',
      by: [[CONFIG, SECURITY]],
    }),
    kept('security', 'insecureNoSSL wins over startTLS, which wins over LDAPS; both together are pointed out.', [
      CONFIG,
      SECURITY,
    ]),
    held({
      id: 'hosts',
      fact: 'host is a host, with a port or an IPv6 address, or several with commas between.',
      stand: 'more',
      dex: 'Knows one, and misreads a bare IPv6 address.',
      why: 'Fail-over.',
      by: [
        [CONFIG, 'hosts in every spelling'],
        [DYING, 'logins and refreshes go over to the next host, and come back to a lone one that was restarted'],
      ],
    }),
    kept(
      'authority',
      'rootCAData wins over rootCA, which must hold certificates; both replace those of the system.',
      [CONFIG, AUTHORITY],
      [CONNECTOR, 'StartTLS and LDAPS check the certificate unless told not to'],
    ),
    kept(
      'client-certificate',
      'clientCert and clientKey go together.',
      [CONFIG, SECURITY, AUTHORITY],
      [DYING, 'a directory that demands a client certificate lets in who shows one'],
    ),
    kept('required', 'host, userSearch.baseDN and userSearch.username are required, a scope is sub or one.', [
      CONFIG,
      'mistakes of a connector are named with their place',
    ]),
    held({
      id: 'id-attribute',
      fact: 'userSearch.idAttr, and emailAttr or emailSuffix, are required.',
      stand: 'safer',
      dex: 'Takes a file without them, and refuses every login.',
      why: 'A mistake is told with its line before anybody logs in.',
      by: [[CONFIG, 'mistakes of a connector are named with their place']],
    }),
    kept(
      'old-keys',
      'userAttr, groupAttr and recursionGroupAttr below groupSearch are one matcher where the list is empty.',
      [CONFIG, 'the old keys are one matcher, and count only where the list is empty'],
    ),
    held({
      id: 'kerberos',
      fact: 'kerberos.enabled is refused.',
      stand: 'absent',
      dex: 'Later versions have it.',
      why: 'A file that asks for it must not be served without it; a proxy can do it (connector authproxy).',
      by: [[CONFIG, 'what promises a login without a form is refused']],
    }),
  ],
};

export const LDAP_LOGIN: Section = {
  id: '3.2',
  title: 'LDAP: how somebody is logged in',
  rows: [
    kept('empty-password', 'An empty password is refused without asking the directory.', [CONNECTOR, REFUSALS]),
    held({
      id: 'connections',
      fact: 'Connections are kept, limited and bounded in time; passwords are tried on others than searches are made on.',
      stand: 'more',
      dex: 'Opens one for each step, without a time limit.',
      why: 'Speed, and a person’s rights must not leak into a search.',
      by: [
        [
          CONNECTOR,
          '200 logins at once share a few connections and mix nobody up',
          'a server that never answers is given up in time',
        ],
      ],
    }),
    kept(
      'filter',
      'The search joins the filter as written and the name as a value; several attributes are alternatives.',
      [CONFIG, 'filters hold what was typed as a value'],
      [CONNECTOR, 'several user name attributes'],
    ),
    kept('nobody', 'No entry is a wrong name; several are an error.', [
      CONNECTOR,
      REFUSALS,
      'a filter chooses between two people of one name; without it the login fails as an error',
    ]),
    held({
      id: 'refusals',
      fact: 'invalidCredentials, constraintViolation and an entry without a password are wrong passwords, everything else is an error.',
      stand: 'kept',
      by: [
        [
          CONNECTOR,
          REFUSALS,
          'a wrong service password or an unreachable server is an error, never a refusal of the person',
        ],
        [
          'test/ldap-overlays.test.ts',
          'an account that a password policy has locked is refused like a wrong password, and the log has the reason',
        ],
      ],
    }),
    kept(
      'identity',
      'id, address, name and preferred name are attributes; emailSuffix goes with the name; addresses are verified.',
      [CONNECTOR, 'both people log in with their names and groups', 'emailSuffix makes the address of the name'],
    ),
    kept('missing', 'Attributes that are configured and missing are an error that lists them.', [
      CONNECTOR,
      'a missing attribute is an error that names it',
    ]),
    kept('values', 'The first value counts, DN is the entry’s name in any case.', [CONFIG, VALUES]),
    held({
      id: 'binary-ids',
      fact: 'objectGUID is told as Active Directory’s tools spell it.',
      stand: 'more',
      dex: 'Takes its bytes for text.',
      why: 'It is the one id there that never changes.',
      by: [[CONFIG, VALUES]],
    }),
    kept('raw-password', 'The password is sent as it was typed.', [
      CONNECTOR,
      'names and passwords with special characters log in',
    ]),
  ],
};

export const LDAP_GROUPS: Section = {
  id: '3.3',
  title: 'LDAP: groups',
  rows: [
    kept('matchers', 'Each value of each matcher is searched, in the order of matchers, then of the server.', [
      CONNECTOR,
      'groups by DN, by numbers on the person, by two matchers, by the old keys',
    ]),
    kept('no-base', 'A base that does not exist means no groups.', [
      CONNECTOR,
      'a group base that does not exist means no groups, a user base that does not exist is an error',
    ]),
    kept('no-name', 'A group without its name attribute is an error.', [
      'src/connectors/ldap/check-ldap.test.ts',
      'says what to change in groupSearch about a name that groups lack',
    ]),
    kept('nested', 'recursionGroupAttr looks for groups of groups, each name once, circles ended.', [
      CONNECTOR,
      'groups of groups at any depth, circles included',
    ]),
    kept('only-asked', 'Groups are searched only where the scope was asked for.', [
      CONNECTOR,
      'groups are searched only where the scope was asked for',
    ]),
    held({
      id: 'size-limit',
      fact: 'A person in more groups than the directory gives at once has all of them: they are read by pages.',
      stand: 'more',
      dex: 'Fails the login.',
      why: 'Active Directory gives a thousand at once, OpenLDAP five hundred.',
      by: [
        [
          'test/ldap-overlays.test.ts',
          'a person in more groups than the directory gives at once logs in with all of them',
        ],
      ],
    }),
    held({
      id: 'member-of',
      fact: 'memberOf on the person’s entry names groups, by a matcher.',
      stand: 'more',
      dex: 'Has no word about it.',
      why: 'Active Directory and many OpenLDAP servers have it.',
      by: [['test/ldap-overlays.test.ts', 'groups come from memberOf too: each value is the name of a group']],
    }),
    held({
      id: 'matching-rule',
      fact: 'Active Directory’s rule for members of members may stand in groupAttr.',
      stand: 'more',
      dex: 'Has no word about it.',
      why: 'One search instead of one for each level.',
      by: [[CONFIG, 'filters hold what was typed as a value']],
    }),
  ],
};

export const LDAP_REFRESH: Section = {
  id: '3.4',
  title: 'LDAP: refresh',
  rows: [
    kept('again', 'A refresh searches the name again, reads attributes and groups anew, and needs no password.', [
      PAGE,
      'lets in by plain: jane',
      'lets in by nested: john',
    ]),
    kept('same-entry', 'The name must still be the same entry.', [
      CONNECTOR,
      'a refresh ends for a person who is gone or whose name is another entry now',
    ]),
    held({
      id: 'gone',
      fact: 'A person who is gone, or disabled, loses the token; a directory that cannot be reached is 500 and the token lives on.',
      stand: 'safer',
      dex: 'Answers 500 in both cases; a disabled person goes on.',
      why: 'Only what the directory said for certain ends a token.',
      by: [
        [PAGE, 'an account that is disabled afterwards is refused at the refresh and at the page'],
        [CONNECTOR, 'a refresh ends for a person who is gone or whose name is another entry now'],
        [DYING, 'logins and refreshes go over to the next host, and come back to a lone one that was restarted'],
      ],
    }),
  ],
};
