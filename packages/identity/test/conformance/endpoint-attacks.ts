/** Owns the rows about what every endpoint must stand: replay, mix-up, parallel use, open redirects, forged tokens, size, injection. */
import { held } from './held-by.ts';
import type { HeldBy } from './held-by.ts';
import type { Row, Section } from './row.ts';

const EVERY = 'test/endpoints.attack.test.ts';
const FUZZ = 'test/fuzz.attack.test.ts';
const ATTACKS = 'test/advisories.attack.test.ts';
const AUTHORIZE = 'src/authorize/authorize.attack.test.ts';
const LOGIN = 'src/login/login.attack.test.ts';
const APPROVAL = 'src/approval/approval.attack.test.ts';
const DEVICE = 'src/device/device.attack.test.ts';
const DEVICE_MISTAKES = 'test/device-mistakes.attack.test.ts';
const TOKEN = 'src/token/token.attack.test.ts';
const UPSTREAM = 'src/connectors/oidc/oidc-upstream.attack.test.ts';
const OIDC = 'src/connectors/oidc/oidc-connector.test.ts';
const SAML = 'src/connectors/saml/saml-connector.test.ts';
const SESSION = 'src/session/session.attack.test.ts';
const END = 'src/session/end-session.attack.test.ts';
const REVOCATION = 'src/introspection/introspection.test.ts';
const FORGED =
  'inherent: alg none, inherent: key confusion, inherent: foreign kid: forged tokens at every place that takes one';

const row = (id: string, fact: string, ...by: readonly HeldBy[]): Row => held({ id, fact, stand: 'kept', by });

const PATHS = [
  '/dex',
  '/dex/.well-known/openid-configuration',
  '/dex/keys',
  '/dex/healthz',
  '/dex/auth',
  '/dex/auth/local',
  '/dex/auth/local/login',
  '/dex/callback',
  '/dex/callback/mock',
  '/dex/approval',
  '/dex/device',
  '/dex/device/code',
  '/dex/device/auth/verify_code',
  '/dex/device/callback',
  '/dex/token',
  '/dex/token/introspect',
  '/dex/token/revoke',
  '/dex/userinfo',
  '/dex/logout',
];

const each = (path: string): Row =>
  row(
    `every${path.slice('/dex'.length).replaceAll(/[^a-z]+/g, '-') || '-landing'}`,
    `${path}: hostile, oversized, broken and doubled input is text, never a failure, a header, a log line or a way out.`,
    [EVERY, `${path} takes hostile values as text`, `${path} refuses what is too large, broken or doubled`],
    [FUZZ, `${path} refuses in form, tells the log why and nobody a secret`],
  );

export const ENDPOINT_ATTACKS: Section = {
  id: '7.3',
  title: 'What every endpoint stands',
  rows: [
    ...PATHS.map(each),
    row('log', 'No input forges a log line, and no secret is in one.', [
      EVERY,
      'no log line was forged, none is an error, none shows a secret',
    ]),
    row('heads', 'Heads that are too large, doubled or no HTTP are answered, and the server goes on.', [
      EVERY,
      'heads that are too large or no HTTP end in an answer, and the server goes on',
    ]),
    row('authorize-redirect', '/auth sends nobody to a place that is not registered to the letter.', [
      AUTHORIZE,
      'a redirect URI that is not registered to the letter is a page, never a redirect',
      'a POST cannot override what the address says',
    ]),
    row('authorize-mix-up', 'A request judged for one connector is no pass for another.', [
      LOGIN,
      'a request judged for one connector is no pass for another',
    ]),
    row(
      'authorize-hint',
      'A hint that is forged or names somebody else is no pass.',
      [SESSION, 'id_token_hint: another person, or no token of ours, is no pass'],
      [END, 'a logout token is no bearer token, no hint and not alive'],
    ),
    row('login-foreign-site', 'A form that another site sends is refused even with the right password.', [
      LOGIN,
      'a form that another site sends is refused even with the right password',
    ]),
    row('login-parallel', 'Guesses that are sent all at once have to wait too.', [
      LOGIN,
      'guesses that are sent all at once have to wait too, and a right password among them opens nothing more',
    ]),
    row(
      'callback-replay',
      'An upstream’s answer logs in once: sent again, of another login, or 50 times at once.',
      [OIDC, 'the callback refuses replays, mixed-up states, errors and nothing at all'],
      [
        SAML,
        'an answer sent again logs nobody in, also 50 times at once',
        'an answer to the request of another browser is refused',
      ],
    ),
    row(
      'callback-mix-up',
      'An answer that names another upstream is refused.',
      ['src/connectors/google/google-connector.test.ts', 'refuses an answer that names another issuer (mix-up)'],
      [UPSTREAM, 'ID tokens for another client, from another issuer, of another login, or too old are refused'],
    ),
    row(
      'callback-forged',
      'ID tokens without a signature, or by another key, log nobody in.',
      [UPSTREAM, 'ID tokens that the upstream did not sign are refused', 'keys that cannot be had log nobody in'],
      [
        'src/connectors/google/google-connector.test.ts',
        'refuses ID tokens of another client, issuer, login, time or key',
      ],
    ),
    row('approval-parallel', 'Of 50 answers to one approval one gets the code.', [
      APPROVAL,
      'of 50 submits at once one gets the code, and the others find nothing',
    ]),
    row('approval-mix-up', 'The proof of another request, and an answer from another site, change nothing.', [
      APPROVAL,
      'the id of a logged-in request without its proof gives nothing',
      'an answer that is neither, for another request, or from another site changes nothing',
    ]),
    row(
      'device-parallel',
      'Of 50 callbacks with one code, and of 50 polls, one gets tokens.',
      [DEVICE_MISTAKES, 'of 50 callbacks with one code at the same time one succeeds'],
      [EVERY, 'of polls for a device that was approved one gets the tokens'],
    ),
    row(
      'device-mix-up',
      'Codes of another client, another place or another request are worth nothing to a device.',
      [DEVICE, 'a code of another client or another place never becomes the tokens of a device'],
      [DEVICE_MISTAKES, 'a code of the same client for another place, and one used before, are worth nothing'],
    ),
    row('device-guessing', 'Guessing user codes has to wait.', [DEVICE, 'guessing user codes has to wait']),
    row('code-parallel', 'Of 50 redemptions of a code one wins.', [
      TOKEN,
      'of 50 parallel redemptions of a code exactly one wins',
    ]),
    row('code-mix-up', 'A code of one client is worth nothing to another, and is spent by the attempt.', [
      TOKEN,
      'a code of one client is worth nothing to another, and is spent by the attempt',
      'a code needs the same redirect URI and is good for half an hour',
    ]),
    row(
      'refresh-parallel',
      'Of 50 uses of a refresh token one wins, and a revocation beside them holds.',
      [TOKEN, 'a refresh token is used once: of 50 parallel uses exactly one wins and none ends in a failure'],
      [EVERY, 'refreshes beside a revocation: nothing fails, and afterwards nothing is left to use'],
    ),
    row('refresh-mix-up', 'A refresh token is worth nothing to another client.', [
      TOKEN,
      'a refresh token is bound to its client and its scopes',
    ]),
    row(
      'exchange-forged',
      'Token exchange takes no token that is forged, old, or meant for somebody else.',
      [UPSTREAM, 'token exchange takes tokens of the upstream for us, and no others'],
      [
        'src/connectors/gitlab/gitlab-connector.test.ts',
        'token exchange: a token of another application, none of an application, and an ID token are refused',
      ],
    ),
    row(
      'tokens-forged',
      'userinfo, introspection, revocation and logout take no token that we did not sign.',
      [ATTACKS, FORGED],
      ['src/userinfo/userinfo.attack.test.ts', 'an expired token is refused'],
    ),
    row('revocation-mix-up', 'A client cannot revoke what is another’s, and learns nothing of it.', [
      REVOCATION,
      'a client revokes its own refresh tokens, and learns nothing of those of others',
    ]),
    row(
      'logout-redirect',
      '/logout sends nobody to a place that is not registered, and ends nothing then.',
      [REVOCATION, 'logout sends the browser to registered places only'],
      [SESSION, 'a logout that may not send the browser anywhere ends nothing; another person’s hint asks'],
      [
        'src/logout/upstream-logout.test.ts',
        'the callback sends nobody where no client is: invented, foreign and old states end at our page',
      ],
    ),
    row('logout-parallel', 'Of 50 logouts of one session one is told to its clients.', [
      END,
      'of 50 logouts at once one is told',
    ]),
    row('session-fixation', 'A login gets a session of its own, and nobody’s browser gets another’s.', [
      SESSION,
      'a login gets a token of its own, and the one before is worth nothing (fixation)',
      'a login that began in another browser leaves no session behind (login by somebody else)',
    ]),
  ],
};
