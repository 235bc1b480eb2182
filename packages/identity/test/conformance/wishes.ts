/** Owns the rows about what Dex's users have asked for most, and what becomes of it here. */
import { held } from './held-by.ts';
import type { HeldBy } from './held-by.ts';
import type { Row, Section, Stand } from './row.ts';

const SESSION = 'src/session/session.attack.test.ts';
const END = 'src/session/end-session.attack.test.ts';
const CONFIG = 'src/config/parse-config.test.ts';
const LOGIN_FLOW = 'src/serve/login-flow.test.ts';
const RELOAD = 'src/serve/reload.test.ts';
const PAGE = 'test/ldap-login-page.test.ts';
const OVERLAYS = 'test/ldap-overlays.test.ts';
const FAIL_OVER = 'test/ldap-fail-over.test.ts';
const CHECK = 'src/connectors/ldap/check-ldap.test.ts';

interface Wish {
  readonly id: string;
  readonly fact: string;
  readonly dex: string;
  readonly why: string;
  readonly stand?: Stand;
}

const wish = ({ stand = 'more', ...row }: Wish, ...by: readonly HeldBy[]): Row => held({ ...row, stand, by });

export const WISHES: Section = {
  id: '7.1',
  title: 'What Dex’s users have waited for',
  rows: [
    wish(
      {
        id: 'sessions',
        fact: 'With sessions a second login asks nobody, with remember-me, at the clients that share (#32, #963, #1130, #1677, #4560).',
        dex: '2.45 asks for the password at each client.',
        why: 'Off unless sessions is in the file: a login without cookies is what scripts know.',
      },
      [
        SESSION,
        'a second login asks nobody, at the first client and at one it shares with',
        'the cookie is for the issuer alone, unreadable, and ends with the browser unless the person is remembered',
      ],
    ),
    wish(
      {
        id: 'logout',
        fact: 'Logout by the client, at the upstream and told to all clients of the session (#1697, #3292, #4325).',
        dex: '2.45 has none.',
        why: 'Whoever leaves must have left everywhere.',
      },
      [END, 'a logout is told to each client of the session, in a token that jose verifies'],
      [SESSION, 'logout by the client’s hint ends the session; without one the person is asked first'],
      [
        'src/logout/upstream-logout.test.ts',
        'the browser goes to the provider with its own ID token as hint, and from there back to the client',
      ],
    ),
    wish(
      {
        id: 'prompt',
        fact: 'prompt, max_age and id_token_hint are obeyed where there are sessions (#990).',
        dex: 'Ignores them in 2.45.',
        why: 'A client that wants a fresh login must get one.',
      },
      [
        SESSION,
        'prompt=login and select_account ask; max_age asks when the login is older; auth_time says when it was',
        'id_token_hint: another person, or no token of ours, is no pass',
      ],
    ),
    wish(
      {
        id: 'approval-prompt',
        fact: 'approval_prompt=force still asks although approval is skipped (#3122, #3540).',
        dex: 'Does the same, and people are surprised.',
        why: 'The client asks for it in so many words; a proxy that sends prompt=none instead is not asked.',
        stand: 'kept',
      },
      ['test/black-box-pages.test.ts', 'approval_prompt=force asks though approval is skipped; prompt=consent too'],
    ),
    wish(
      {
        id: 'devices',
        fact: 'Ten logins of one person at one client have refresh tokens of their own (#973, #981, #1418, #1669).',
        dex: 'Keeps one: the second device logs the first out.',
        why: 'People have more than one device; the eleventh login ends the oldest.',
      },
      ['src/token/token.attack.test.ts', 'several devices of one person stay logged in, the eleventh ends the first'],
      [
        'src/token/refresh-tokens.test.ts',
        'a person stays logged in on many devices of one client; beyond ten the oldest login gives way',
      ],
    ),
    wish(
      {
        id: 'rotation',
        fact: 'Rotation can be off, has a reuse interval, and uses at the same time log nobody out (#787).',
        dex: 'Has the settings; uses at the same time end in 500 in 2.45.',
        why: 'Browsers refresh in several tabs at once.',
      },
      [
        'test/black-box-tokens.test.ts',
        'without rotation the same one goes on',
        'within the reuse interval the one before gets the same successor; after it nothing',
      ],
      [
        'test/refresh-races.test.ts',
        'within the reuse interval ten at once all get the same successor, and the upstream is asked once',
        'two replicas on one storage give the same successor',
      ],
    ),
    wish(
      {
        id: 'static-groups',
        fact: 'People of the file have groups (#1080).',
        dex: 'Has them since 2.45.',
        why: 'Small installations have no directory.',
        stand: 'kept',
      },
      [LOGIN_FLOW, 'tokens say who it is'],
    ),
    wish(
      {
        id: 'secrets',
        fact: 'Secrets of clients, hashes of people and settings of connectors come from the environment; one that is missing is named (#1099, #1241).',
        dex: 'Has the same keys, and takes a missing one for empty in connectors.',
        why: 'A Secret of the cluster becomes an environment variable; files of secrets are not read.',
      },
      [
        CONFIG,
        'reads the file that Kubeflow ships',
        'reports missing environment variables by name',
        'expands $VAR in connector and storage settings only',
      ],
    ),
    wish(
      {
        id: 'claims',
        fact: 'Claims of an upstream are mapped, and groups made, filtered and renamed; claims of one’s own making are not there (#938, #1182, #1964).',
        dex: 'The same.',
        why: 'Access is decided by address and groups here; whatever else is in a token, clients would come to rely on.',
        stand: 'kept',
      },
      [
        'src/connectors/oidc/oidc-connector.test.ts',
        'claims are mapped, modified, filtered and required as configured',
      ],
    ),
    wish(
      {
        id: 'subject',
        fact: 'sub stays what it was; the scope federated:id tells connector and user id in plain words (#892, #942, #1060, #1719, #4197).',
        dex: 'The same.',
        why: 'Who somebody is in a cluster must not change with the provider.',
        stand: 'kept',
      },
      [LOGIN_FLOW, 'claims come only with their scopes', 'tokens say who it is'],
    ),
    wish(
      {
        id: 'redirect-patterns',
        fact: 'Redirect URIs have no wild cards (#448, #1091, #1220, #1292).',
        dex: 'The same.',
        why: 'RFC 9700 §2.1: a pattern is an open redirect in waiting. The log names what was asked and what is registered.',
        stand: 'kept',
      },
      [
        'src/authorize/authorize.attack.test.ts',
        'a redirect URI that is not registered to the letter is a page, never a redirect',
        'the log names the client and the URI that are not registered, and those that are',
      ],
    ),
    wish(
      {
        id: 'storage',
        fact: 'Requests of people who never log in store nothing, and memory stays as it is (#4019, #4979, kubeflow/kubeflow#4737).',
        dex: 'Stores each for a day.',
        why: 'A scanner must not fill the cluster’s etcd.',
        stand: 'safer',
      },
      [
        'src/authorize/authorize.attack.test.ts',
        'requests and failed logins of strangers leave nothing in the storage',
      ],
      ['test/flood.long.test.ts', '100,000 requests without a login leave no row and no memory behind'],
    ),
    wish(
      {
        id: 'guessing',
        fact: 'Guessing passwords and user codes has to wait, by person and address, without telling who exists (#1671, #1869, #3509).',
        dex: 'Leaves it to a proxy.',
        why: 'A login page on a network is guessed at.',
      },
      [
        'src/login/login.attack.test.ts',
        'guessing has to wait, for names that exist and names that do not alike, until time passes',
        'guesses that are sent all at once have to wait too, and a right password among them opens nothing more',
      ],
      ['src/device/device.attack.test.ts', 'guessing user codes has to wait'],
      ['src/token/other-grants.test.ts', 'guessing through the password grant has to wait'],
    ),
    wish(
      {
        id: 'nested-groups',
        fact: 'Groups of groups, by a search, by Active Directory’s matching rule, or by memberOf (#2955, #3902, #4113).',
        dex: 'Has recursionGroupAttr.',
        why: 'memberOf is a matcher: userAttr memberOf, groupAttr entryDN or distinguishedName.',
      },
      [PAGE, 'lets in by nested: jane', 'lets in by nested: john'],
      [OVERLAYS, 'groups come from memberOf too: each value is the name of a group'],
      ['src/connectors/ldap/ldap-config.test.ts', 'filters hold what was typed as a value'],
    ),
    wish(
      {
        id: 'fail-over',
        fact: 'Several directories, of which the next serves when one is down (#1548, #1817, #1904, #2776).',
        dex: 'Knows one.',
        why: 'Directories are restarted in working hours.',
      },
      [FAIL_OVER, 'logins and refreshes go over to the next host, and come back to a lone one that was restarted'],
    ),
    wish(
      {
        id: 'special-characters',
        fact: 'Names, DNs and passwords with special characters work, those of the service account too (#3433, #3436, #3456).',
        dex: 'Escapes names twice.',
        why: 'People have such names.',
      },
      [
        'src/connectors/ldap/ldap-connector.test.ts',
        'names and passwords with special characters log in',
        'a plain query: the DN is the id; a $ in the service password comes through the environment',
      ],
    ),
    wish(
      {
        id: 'start',
        fact: 'A connector that cannot be reached or opened stops nobody else, and is tried again (#1723, #2787).',
        dex: 'Goes on since 2.45, without trying again.',
        why: 'What is down at the start may be up at the first login.',
      },
      ['test/black-box-pages.test.ts', 'a connector that cannot be opened is a page, and the others work'],
      ['src/connectors/oidc/oidc-connector.test.ts', 'a provider that is down does not stop the others'],
    ),
    wish(
      {
        id: 'revocation',
        fact: 'A client gives up its refresh tokens by RFC 7009 (#1778).',
        dex: 'Has gRPC for it.',
        why: 'Clients cannot speak gRPC to a provider.',
      },
      [
        'src/introspection/introspection.test.ts',
        'a client revokes its own refresh tokens, and learns nothing of those of others',
      ],
    ),
    wish(
      {
        id: 'client-lifetimes',
        fact: 'A client may have ID tokens that live shorter than those of others, and refresh tokens that end with the session (#1792, #3557).',
        dex: 'Has one lifetime for all.',
        why: 'A kiosk and a batch job differ.',
      },
      ['test/black-box-flow.test.ts', 'a client may have tokens that live shorter than those of others'],
      [END, 'refresh tokens end with the session where the client wants that, and carry its sid until then'],
    ),
    wish(
      {
        id: 'reload',
        fact: 'People, clients and connectors of a changed file count without a restart; a broken file is named and the old one stays (#1754).',
        dex: 'Is restarted.',
        why: 'Everybody’s login ends with a restart that fails.',
      },
      [
        RELOAD,
        'a user added to the file can log in without a restart; a broken file changes nothing and is named',
        'the symlink swap of a ConfigMap volume is noticed',
      ],
    ),
    wish(
      {
        id: 'upstream-groups',
        fact: 'Groups of an OpenID upstream, userinfo compared with the ID token, SAML that stands attacks (#1065, #1884, #4827).',
        dex: 'Has the groups; calls SAML unmaintained.',
        why: 'Dynamic registration is not there: clients come from the file or the management API.',
      },
      ['src/connectors/oidc/oidc-connector.test.ts', 'a person of a certified provider logs in, with groups'],
      ['src/connectors/oidc/oidc-upstream.attack.test.ts', 'userinfo about another person is refused'],
      [
        'src/connectors/saml/read-response.attack.test.ts',
        'refuses wrapping: XSW3: evil assertion before the signed one',
      ],
    ),
    wish(
      {
        id: 'relative',
        fact: 'Redirects and pages work behind any host name, with relative redirect URIs (#3839, community-distribution#911).',
        dex: 'Has assets with the issuer’s host in some versions.',
        why: 'The browser never sees the issuer’s host in Kubeflow.',
      },
      [
        LOGIN_FLOW,
        '/auth leads to the only connector, with every parameter, by a path-absolute redirect',
        'the login page asks for name and password and loads nothing',
      ],
    ),
    wish(
      {
        id: 'unregistered',
        fact: '“Unregistered redirect_uri” after an upgrade is explained in the log: client, what was asked, what is registered (#2754, #2812).',
        dex: 'Says no more in the log than on the page.',
        why: 'The page must not tell strangers; an engineer must not have to guess.',
      },
      [
        'src/authorize/authorize.attack.test.ts',
        'the log names the client and the URI that are not registered, and those that are',
      ],
      ['test/fuzz.attack.test.ts', '/dex/auth/local refuses in form, tells the log why and nobody a secret'],
    ),
    wish(
      {
        id: 'ldap-check',
        fact: 'A check walks through the directory and says what is wrong and what is there instead.',
        dex: 'Has its log.',
        why: 'LDAP is where most people give up.',
      },
      [
        CHECK,
        'says what to change in userSearch about a base that does not exist',
        'says what to change in groupSearch about a value of another kind',
        'says what to change about StartTLS with an authority of their own',
      ],
    ),
  ],
};
