/** Owns the rows about the other connectors: their options, who they say somebody is, and where they say less than Dex. */
import { held } from './held-by.ts';
import type { HeldBy } from './held-by.ts';
import type { Row, Section } from './row.ts';

const OPTIONS = 'src/connectors/dex-options.test.ts';
const GUIDES = 'test/guides.test.ts';
const OIDC = 'src/connectors/oidc/oidc-connector.test.ts';
const LIES = 'src/connectors/oidc/oidc-upstream.attack.test.ts';
const GITHUB = 'src/connectors/github/github-connector.test.ts';
const GITLAB = 'src/connectors/gitlab/gitlab-connector.test.ts';
const GOOGLE = 'src/connectors/google/google-connector.test.ts';
const MICROSOFT = 'src/connectors/microsoft/microsoft-connector.test.ts';
const BITBUCKET = 'src/connectors/bitbucket-cloud/bitbucket-connector.test.ts';
const GITEA = 'src/connectors/gitea/gitea-connector.test.ts';
const OPENSHIFT = 'src/connectors/openshift/openshift-connector.test.ts';
const OAUTH = 'src/connectors/oauth/oauth-connector.test.ts';
const LINKEDIN = 'src/connectors/linkedin/linkedin-connector.test.ts';
const SAML = 'src/connectors/saml/saml-connector.test.ts';
const KEYSTONE = 'src/connectors/keystone/keystone-connector.test.ts';
const CROWD = 'src/connectors/atlassian-crowd/crowd-connector.test.ts';
const AUTHPROXY = 'src/connectors/authproxy/authproxy-connector.test.ts';
const GRANTS = 'src/token/other-grants.test.ts';

const kept = (id: string, fact: string, ...by: readonly HeldBy[]): Row => held({ id, fact, stand: 'kept', by });

type Other = Omit<Row, 'proof' | 'stand' | 'follows'> & { readonly dex: string; readonly why: string };
const safer = (row: Other, ...by: readonly HeldBy[]): Row => held({ ...row, stand: 'safer', by });
const more = (row: Other, ...by: readonly HeldBy[]): Row => held({ ...row, stand: 'more', by });

const SUITE = [
  'sends the browser out with state, our client and redirect URI, and no secret',
  'logs a person in',
  'refuses an upstream error, an empty answer, and a code that is not its own',
  'an error of the upstream cannot write into the log',
  'fails on tokens that are not bearer tokens or that would break a header',
  'fails when the upstream is gone, and works again when it is back',
] as const;
const REFRESH = [
  'asks the upstream again',
  'refuses another person',
  'is over when the upstream has withdrawn its tokens',
] as const;

/** The identity that `logs a person in` expects is in the connector's own file. */
const upstream = (type: string, file: string, who: string): Row =>
  kept(`${type}-identity`, `${type}: ${who}; a refresh asks again.`, [file, ...SUITE, ...REFRESH]);

const EVERY_TYPE =
  'ldap oidc google github gitlab microsoft saml oauth linkedin bitbucket-cloud gitea openshift keystone atlassian-crowd authproxy mockCallback mockPassword'.split(
    ' ',
  );

const options = (type: string): Row =>
  held({
    id: `${type.toLowerCase()}-options`,
    fact: `${type}: every option of Dex is known, and one that nobody knows is a mistake with its line.`,
    stand: 'safer',
    dex: 'Ignores what it does not know.',
    why: 'A misspelt allowedGroups would let everybody in.',
    by: [
      [
        OPTIONS,
        `${type}: every option of Dex is known`,
        `${type}: an option that nobody knows is a mistake with its line`,
      ],
    ],
  });

const OIDC_ROWS: readonly Row[] = [
  kept('oidc-identity', 'oidc: a person of a certified provider logs in with groups, and a refresh asks again.', [
    OIDC,
    'a person of a certified provider logs in, with groups',
    'a refresh asks the provider again',
  ]),
  kept(
    'oidc-claims',
    'oidc: missing claims are errors, groups need insecureEnableGroups, and mapping, filters, prefixes and allowedGroups work.',
    [OIDC, 'claims are mapped, modified, filtered and required as configured'],
  ),
  more(
    {
      id: 'oidc-discovery',
      fact: 'oidc: the provider’s document is read when somebody logs in, so that one that is down stops nobody.',
      dex: 'Reads it at the start, which fails without it.',
      why: 'An upstream that restarts must not keep this provider down.',
    },
    [OIDC, 'a provider that is down does not stop the others'],
  ),
  safer(
    {
      id: 'oidc-pkce',
      fact: 'oidc: state, nonce and an S256 challenge are bound to each login.',
      dex: 'Sends a challenge where it is configured or the provider announces it.',
      why: 'A code that was led astray must be worth nothing.',
    },
    [OIDC, 'the way out carries state, nonce and an S256 challenge'],
  ),
  safer(
    {
      id: 'oidc-userinfo',
      fact: 'oidc: userinfo about another person is refused.',
      dex: 'Does not compare.',
      why: 'OpenID Connect Core §5.3.2.',
    },
    [LIES, 'userinfo about another person is refused'],
  ),
  kept('oidc-exchange', 'oidc: token exchange takes tokens that the provider made for us.', [
    LIES,
    'token exchange takes tokens of the upstream for us, and no others',
  ]),
];

const FORGES: readonly Row[] = [
  upstream(
    'github',
    GITHUB,
    'the numeric id, the name or login, the primary verified address, groups org and org:team',
  ),
  kept('github-orgs', 'github: organizations and teams decide who may log in and what the groups are.', [
    GITHUB,
    'organizations and teams decide who may log in and what the groups are',
    'takes a preferred address, but none that was not verified',
    'names contradictions in the settings',
  ]),
  upstream('gitlab', GITLAB, 'id, name and user name; groups of the list, with group:owner where asked'),
  kept('gitlab-inherited', 'gitlab: inheritedGroups gives groups of parents too, by the API.', [
    GITLAB,
    'inheritedGroups: groups of parents too, over several pages, with the highest role; never merely public ones',
  ]),
  safer(
    {
      id: 'gitlab-exchange',
      fact: 'gitlab: token exchange takes access tokens that GitLab gave to this very application.',
      dex: 'Later versions take any access token that GitLab honours.',
      why: 'A token for another application must not log its holder in here.',
    },
    [GITLAB, 'token exchange: a token of another application, none of an application, and an ID token are refused'],
  ),
  upstream('bitbucket-cloud', BITBUCKET, 'uuid, display name, confirmed primary address, workspaces with permissions'),
  upstream('gitea', GITEA, 'id, full name, address, groups org and org:team'),
  safer(
    {
      id: 'addresses',
      fact: 'gitlab, gitea, openshift, keystone: an address that was not verified there is not told as verified.',
      dex: 'Tells each as verified.',
      why: 'Clients decide by email_verified who somebody is.',
    },
    [GITLAB, 'logs a person in'],
    [GITEA, 'logs a person in'],
    [OPENSHIFT, 'logs a person in'],
    [KEYSTONE, 'logs people in, tells wrong passwords from trouble, and asks again on a refresh'],
  ),
];

const CLOUDS: readonly Row[] = [
  upstream('google', GOOGLE, 'sub, address and name, groups of the directory, those of groups too where asked'),
  kept(
    'google-domains',
    'google: people of other domains are refused, and an address that was not verified is told so.',
    [GOOGLE, 'denies people of other domains and says when an address is not verified'],
  ),
  kept(
    'google-tokens',
    'google: ID tokens of another client, issuer, login, time or key, and other issuers, are refused.',
    [
      GOOGLE,
      'refuses ID tokens of another client, issuer, login, time or key',
      'refuses an answer that names another issuer (mix-up)',
    ],
  ),
  upstream('microsoft', MICROSOFT, 'object id, the principal name as address in small letters, groups by name or id'),
  kept('microsoft-tenant', 'microsoft: groups need a tenant, and a client one way to prove itself.', [
    MICROSOFT,
    'groups need a tenant of one’s own, and a client needs one way to prove itself',
  ]),
  upstream('linkedin', LINKEDIN, 'id, both names and the address, no groups'),
  upstream('openshift', OPENSHIFT, 'uid, name and groups'),
  kept('oauth-identity', 'oauth: identity by the configured claims of userinfo, and no refresh.', [OAUTH, ...SUITE]),
];

const ALLOWED = 'src/connectors/allowed-groups.test.ts';
const OF_A_GROUP = 'members of an allowed group log in, others do not, and whoever has left it is refused at a refresh';

const OTHERS: readonly Row[] = [
  kept(
    'allowed-groups',
    'Where groups, orgs, teams or allowedGroups are named, nobody else logs in or refreshes, though no client asked for groups.',
    [
      ALLOWED,
      ...(['google', 'gitlab', 'microsoft', 'bitbucket-cloud', 'gitea', 'openshift'] as const).map(
        (type) => `${type}: ${OF_A_GROUP}`,
      ),
      'atlassian-crowd: members of an allowed group log in, others do not',
    ],
    [GITHUB, 'organizations and teams decide who may log in and what the groups are'],
    [OIDC, 'claims are mapped, modified, filtered and required as configured'],
    [SAML, 'groups: one value with a delimiter, allowed groups, filtered groups'],
  ),
  kept('saml-login', 'saml: an answer of samlify logs in with groups; groups are divided, allowed and filtered.', [
    SAML,
    'samlify understands our request, and its answer logs in',
    'groups: one value with a delimiter, allowed groups, filtered groups',
    'settings: what is required, what excludes what, short names of formats',
  ]),
  safer(
    {
      id: 'saml-once',
      fact: 'saml: an answer is taken once, in the browser that asked, for a request of ours.',
      dex: 'Takes an answer as often as it comes while its time lasts.',
      why: 'An answer that was seen on the way must log nobody in.',
    },
    [
      SAML,
      'an answer sent again logs nobody in, also 50 times at once',
      'an answer is taken only in the browser that asked, and once',
    ],
  ),
  safer(
    {
      id: 'keystone-identity',
      fact: 'keystone: people log in with groups; a wrong password is 401, a disabled user is refused at a refresh.',
      dex: 'Answers a wrong password with 500.',
      why: 'A wrong password is the person’s, not a failure.',
    },
    [KEYSTONE, 'logs people in, tells wrong passwords from trouble, and asks again on a refresh'],
  ),
  kept('crowd-identity', 'atlassian-crowd: people log in with nested groups, and a refresh asks again.', [
    CROWD,
    'logs people in with nested groups, denies wrong passwords, and asks again on a refresh',
  ]),
  safer(
    {
      id: 'authproxy-path',
      fact: 'authproxy: headers of the proxy are believed on /callback/<id> and nowhere else; static groups are added.',
      dex: 'The same; headers on /callback are removed.',
      why: 'The path that the proxy guards is the one whose headers it sets.',
    },
    [AUTHPROXY, 'believes the proxy on the path that it guards, and nobody elsewhere'],
  ),
  kept('mock', 'mockCallback and mockPassword log in Dex’s person of tests.', [
    GRANTS,
    'a callback connector brings the person back, and shows up in the choice',
    'token exchange asks the named connector and obeys what the client is tied to',
  ]),
  more(
    {
      id: 'examples',
      fact: 'Every connector has a guide whose example opens as it stands.',
      dex: 'Has guides without tests.',
      why: 'An example that does not work is worse than none.',
    },
    [GUIDES, 'every connector has an example that opens without a complaint'],
  ),
];

export const CONNECTORS: Section = {
  id: '4.1',
  title: 'Other connectors',
  rows: [...EVERY_TYPE.map(options), ...OIDC_ROWS, ...FORGES, ...CLOUDS, ...OTHERS],
};
