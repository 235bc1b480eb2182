/** Owns the rows about what Dex's own tests ask, and which of our tests asks it. */
import { held } from './held-by.ts';
import type { HeldBy } from './held-by.ts';
import type { Row, Section } from './row.ts';

const FLOW = 'test/black-box-flow.test.ts';
const TOKENS = 'test/black-box-tokens.test.ts';
const PAGES = 'test/black-box-pages.test.ts';
const LOGIN_FLOW = 'src/serve/login-flow.test.ts';
const AUTHORIZE = 'src/authorize/authorize.attack.test.ts';
const TOKEN = 'src/token/token.attack.test.ts';
const GRANTS = 'src/token/other-grants.test.ts';
const INDEPENDENT = 'src/serve/independent-client.test.ts';
const DEVICE = 'src/device/device.attack.test.ts';
const DEVICE_MISTAKES = 'test/device-mistakes.attack.test.ts';
const UPSTREAM = 'src/connectors/oidc/oidc-upstream.attack.test.ts';
const KEYS = 'src/keys/key-ring.test.ts';
const MEMORY = 'src/storage/memory/memory-storage.test.ts';
const SQLITE = 'src/storage/sqlite/sqlite-storage.test.ts';
const POSTGRES = 'src/storage/postgres/postgres-storage.test.ts';
const KUBERNETES = 'src/storage/kubernetes/kubernetes-storage.test.ts';

const kept = (id: string, fact: string, ...by: readonly HeldBy[]): Row => held({ id, fact, stand: 'kept', by });

/** In every storage. */
const stored = (...names: readonly [string, ...string[]]): readonly HeldBy[] =>
  [MEMORY, SQLITE, POSTGRES, KUBERNETES].map((file) => [file, ...names]);

const FLOWS: readonly Row[] = [
  kept('independent-client', 'An independent client verifies discovery, keys, tokens and userinfo, and refreshes.', [
    INDEPENDENT,
    'openid-client passes code with PKCE, userinfo and refresh',
  ]),
  kept('expiry-claim', 'exp is iat and the lifetime of ID tokens, and expires_in says the same.', [
    FLOW,
    'tokens live as long as expiry.idTokens says, in claims and in expires_in',
  ]),
  kept(
    'at-hash',
    'at_hash is that of the access token, in the code flow and in the front channel.',
    [FLOW, 'at_hash of a code flow is that of the access token, and there is no c_hash but the code’s'],
    [PAGES, 'code id_token token answers with access_token, code, id_token, state, token_type'],
  ),
  kept('nonce', 'A nonce comes back in the ID token.', [LOGIN_FLOW, 'tokens say who it is']),
  kept('refresh', 'A refresh gives new tokens for the same person.', [
    TOKEN,
    'refreshing gives new tokens for the same person, and a successor that works',
  ]),
  kept('refresh-scopes', 'A refresh may ask for fewer scopes, with any spaces between, and never for more.', [
    TOKENS,
    'scopes may be fewer, with any spaces between, and never more',
  ]),
  kept('refresh-client', 'Another client cannot use a refresh token.', [
    TOKEN,
    'a refresh token is bound to its client and its scopes',
  ]),
  kept('refresh-claims', 'After a refresh the claims are what the connector says now.', [
    TOKENS,
    'claims follow the person, and a person who is gone loses the token',
  ]),
  kept('unknown-grant', 'A grant that nobody knows, or none, is unsupported_grant_type.', [
    TOKEN,
    'requests that are no token requests are refused as JSON',
  ]),
  kept('request-object', 'A request object is refused as request_not_supported.', [
    AUTHORIZE,
    'broken rules go to the registered URI by 303 with error and state',
  ]),
  kept('pkce', 'PKCE: S256, plain, a wrong and a missing verifier, and a verifier without a challenge.', [
    TOKEN,
    'PKCE: the verifier must be the right one, there when promised and absent when not',
  ]),
  kept('pkce-method', 'A challenge method that nobody knows is invalid_request.', [
    AUTHORIZE,
    'broken rules go to the registered URI by 303 with error and state',
  ]),
  kept(
    'response-types',
    'Every response type answers with what belongs to it where it is enabled, and is refused where not.',
    [PAGES, 'refused: token alone, no nonce without a code'],
    [AUTHORIZE, 'broken rules go to the registered URI by 303 with error and state'],
  ),
  kept('grants-supported', 'Discovery names the grants that are on.', [
    PAGES,
    'discovery names every endpoint by the issuer; what is off is not named',
  ]),
  kept(
    'audience',
    'A peer that trusts the client is an audience with azp; the client alone is one without; a peer that does not is refused.',
    [LOGIN_FLOW, 'a client that trusts the asking one may be an audience'],
    [FLOW, 'an audience that is the client itself is text, without azp'],
    [AUTHORIZE, 'broken rules go to the registered URI by 303 with error and state'],
  ),
];

const PASSWORDS: readonly Row[] = [
  kept('password-wrong', 'A wrong password of a person of the file is 401 and the form again.', [
    LOGIN_FLOW,
    'a wrong password is told plainly and keeps the name',
  ]),
  kept('email-case', 'An address logs in in any case.', [
    LOGIN_FLOW,
    'the right password, with the address in any case, goes back with code and state',
  ]),
  held({
    id: 'bcrypt-cost',
    fact: 'A hash that is too cheap or too dear is a mistake of the file; a stored one lets nobody in, as a wrong password, and the log says why.',
    stand: 'safer',
    dex: 'Finds it at the login, as 500.',
    why: 'A mistake of the file is told with its line, and an expensive hash is never worked on.',
    by: [
      [
        'src/connectors/local/local-connector.test.ts',
        'a stored hash that is too cheap or too dear lets nobody in, whatever the password, and the log is told',
      ],
      ['src/config/parse-config.test.ts', 'names every mistake at once with its line, a caret and a hint'],
    ],
  }),
  kept('prompt', 'People of the file are asked for their “Email Address”.', [
    LOGIN_FLOW,
    'the login page asks for name and password and loads nothing',
  ]),
  kept(
    'password-grant',
    'The password grant gives tokens and refreshes; a wrong password, no openid, or no connector is refused.',
    [GRANTS, 'the password grant gives tokens, a refresh token too'],
    [GRANTS, 'the password grant refuses wrong passwords, missing openid, foreign clients, and is off by default'],
  ),
  kept(
    'token-exchange',
    'Token exchange takes tokens that the connector’s upstream gave us, and no others.',
    [UPSTREAM, 'token exchange takes tokens of the upstream for us, and no others'],
    [GRANTS, 'token exchange asks the named connector and obeys what the client is tied to'],
  ),
  kept('client-credentials', 'client_credentials speaks for a client that keeps a secret, where the grant is listed.', [
    GRANTS,
    'client credentials speak for the client, never for a person',
  ]),
];

const DEVICES: readonly Row[] = [
  kept(
    'device-flow',
    'A device gets the tokens of the person who enters its code and agrees.',
    [DEVICE, 'a device gets the tokens of the person who enters its code and agrees, once'],
    [INDEPENDENT, 'openid-client passes the device flow'],
  ),
  kept(
    'device-asking',
    'Asking by GET, with a bad method or scope or a wrong secret is refused; without a scope it is openid.',
    [DEVICE, 'only clients that prove themselves get codes, and only for scopes they may have'],
  ),
  kept(
    'device-user-code',
    'A user code that is unknown, expired or missing is told on the page.',
    [DEVICE, 'a wrong user code is told on the page, as text'],
    [DEVICE_MISTAKES, 'a user code that has expired, or that nobody was given, is told on the page'],
  ),
  kept(
    'device-callback',
    'The callback refuses a missing state or code, an invented code, and a request nobody made.',
    [DEVICE_MISTAKES, 'the callback wants a code that is known and a request that is open'],
  ),
  kept(
    'device-callback-expired',
    'The callback refuses an expired request and an expired code.',
    [DEVICE_MISTAKES, 'a request that has expired takes no code, and its device no tokens'],
    [DEVICE_MISTAKES, 'a code that has expired is worth nothing for a request that is open'],
  ),
  kept(
    'device-callback-foreign',
    'A code of another client or another place is worth nothing there, whatever the address says.',
    [DEVICE, 'a code of another client or another place never becomes the tokens of a device'],
    [DEVICE_MISTAKES, 'a code of the same client for another place, and one used before, are worth nothing'],
  ),
  kept('device-callback-error', 'What comes in error parameters stays text and off the page.', [
    DEVICE_MISTAKES,
    'what the upstream says of an error stays off the page',
  ]),
  kept(
    'device-polling',
    'Polling is pending, slow_down, expired_token or refused.',
    [DEVICE, 'polling too fast is told to slow down, an expired or invented code is refused'],
    [DEVICE, 'the device proves its PKCE verifier'],
  ),
  held({
    id: 'device-once',
    fact: 'A device gets its tokens once, and of 50 callbacks or polls at once one succeeds.',
    stand: 'safer',
    dex: 'Gives the tokens again to whoever asks until they are cleaned up.',
    why: 'Whoever learns a device code later must get nothing.',
    by: [
      [DEVICE_MISTAKES, 'of 50 callbacks with one code at the same time one succeeds'],
      ['test/endpoints.attack.test.ts', 'of polls for a device that was approved one gets the tokens'],
    ],
  }),
];

const LIFETIMES: readonly Row[] = [
  kept(
    'refresh-expiry',
    'Refresh tokens end when idle, at their age, and never without limits.',
    [TOKENS, 'one that was idle for too long is expired, one that is used stays'],
    [TOKENS, 'one ends at its absolute age though it was used'],
    [TOKENS, 'without limits one works after years, once, and its predecessor never'],
  ),
  kept('refresh-reuse', 'Within the reuse interval the token before gets the same successor, after it nothing.', [
    TOKENS,
    'within the reuse interval the one before gets the same successor; after it nothing',
  ]),
  kept(
    'redirect-uris',
    'Redirect URIs are compared to the letter; only public clients without any may use loopback.',
    [AUTHORIZE, 'a redirect URI that is not registered to the letter is a page, never a redirect'],
    [AUTHORIZE, 'only public clients without registered URIs may use loopback, and only true loopback over http'],
  ),
];

const EDGES: readonly Row[] = [
  kept('callback-connector', 'A callback for another connector is refused.', [
    PAGES,
    'callbacks of the wrong kind, connector or method are pages',
  ]),
  kept('connector-broken', 'A connector that cannot be opened is a page, and the others work.', [
    PAGES,
    'a connector that cannot be opened is a page, and the others work',
  ]),
  kept(
    'nothing-leaks',
    'What upstreams and directories answer is in the log and on no page.',
    [TOKENS, 'a connector that fails at a refresh is a 500 without a word about why, and the token lives on'],
    [
      'src/connectors/oidc/oidc-connector.test.ts',
      'the callback refuses replays, mixed-up states, errors and nothing at all',
    ],
  ),
  kept('step-proof', 'The step after a login wants the proof of that login.', [
    'src/approval/approval.attack.test.ts',
    'the id of a logged-in request without its proof gives nothing',
  ]),
  kept('back-link', 'The link back leads to our own choice or nowhere.', [
    'src/login/login.attack.test.ts',
    'the back link leads to our own choice page or nowhere',
  ]),
  kept('no-host', 'Pages load nothing from an address with a host.', [
    LOGIN_FLOW,
    'the login page asks for name and password and loads nothing',
  ]),
  kept('headers', 'Security headers are there and can be configured; CORS is for configured origins.', [
    PAGES,
    'configured headers replace ours; scripts of configured origins may read what is theirs',
  ]),
  kept('client-address', 'The address of a client is read past trusted proxies only.', [
    'test/advisories.attack.test.ts',
    '#4927 (client address): an address that the client chose itself',
  ]),
];

const STORAGES: readonly Row[] = [
  kept(
    'records',
    'Every kind of record is created once, found, changed, listed and taken once, in every storage.',
    ...stored(
      'gives a authCode back as it was, once, and no more after take',
      'gives a refreshToken back as it was, once, and no more after take',
      'keeps kinds apart',
      'changes a record, or leaves it when there is none or no change is wanted',
    ),
  ),
  kept('garbage', 'What expired is removed and nothing else.', ...stored('removes what expired and nothing else')),
  kept(
    'atomic',
    'A change that throws changes nothing; of takers and swappers at once one wins.',
    ...stored('a change that throws changes nothing and reaches the caller'),
    [
      'testkit/src/identity-storage-races.ts',
      'of 50 takers exactly one gets the code',
      'of 20 swaps of one token exactly one is made',
      'ten concurrent changes are all made',
    ],
  ),
  kept('dex-objects', 'Objects that Dex wrote into a cluster are read as they are.', [
    KUBERNETES,
    'reads objects that Dex wrote and keeps the fields it does not know',
  ]),
  kept(
    'rotation',
    'Keys do not rotate before their time, rotate once for all replicas, and verify until the last token has expired.',
    [KEYS, 'does not rotate before its time, and rotates once for all replicas'],
    [KEYS, 'an old token verifies until it expires, then its key is no longer published'],
  ),
  held({
    id: 'kill',
    fact: 'Killed at any moment, no code or refresh token works twice, and none that was answered is lost: SQLite, PostgreSQL, cluster.',
    stand: 'more',
    dex: 'Has no such test.',
    why: 'Pods are killed.',
    by: [
      [
        'test/kill.long.test.ts',
        'SQLite: nothing that was answered is lost, nothing is used twice',
        'nothing that was answered is lost, nothing is used twice',
      ],
    ],
  }),
];

export const DEX_TESTS: Section = {
  id: '5.1',
  title: 'What Dex’s own tests ask',
  rows: [...FLOWS, ...PASSWORDS, ...DEVICES, ...LIFETIMES, ...EDGES, ...STORAGES],
};
