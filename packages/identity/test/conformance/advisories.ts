/** Owns the rows about Dex's advisories and security changes, and which attack shows each to be absent here. */
import { held } from './held-by.ts';
import type { HeldBy } from './held-by.ts';
import type { Row, Section } from './row.ts';

const ATTACKS = 'test/advisories.attack.test.ts';
const CODE = 'src/token/token.attack.test.ts';
const SAML = 'src/connectors/saml/read-response.attack.test.ts';
const LISTENERS = 'src/serve/listeners.test.ts';

/** Followed is what Dex does since it was mended. */
const mended = (id: string, fact: string, ...by: readonly HeldBy[]): Row => held({ id, fact, stand: 'kept', by });

const safer = (
  row: { readonly id: string; readonly fact: string; readonly dex: string; readonly why: string },
  ...by: readonly HeldBy[]
): Row => held({ ...row, stand: 'safer', by });

export const ADVISORIES: Section = {
  id: '7.2',
  title: 'Advisories and security changes',
  rows: [
    mended(
      'cve-2022-39222',
      'Whoever knows a request in flight gets no code of the person who finishes it (GHSA-vh7g-p26c-j2cw).',
      [
        ATTACKS,
        'GHSA-vh7g-p26c-j2cw, CVE-2022-39222: the id of a request in flight gives nobody the code of the person who finishes it',
      ],
    ),
    mended(
      'saml-signatures',
      'SAML answers that are unsigned, wrapped, doubled, commented, expired, or for somebody else are refused (CVE-2020-15216, -26290, -27847, #895).',
      [
        ATTACKS,
        'GHSA-m9hp-7r99-94h5, CVE-2020-26290, CVE-2020-15216, CVE-2020-27847, GHSA-2x32-jm95-2cpx, #895: signature bypasses of SAML',
      ],
      [
        SAML,
        'refuses wrapping: XSW3: evil assertion before the signed one',
        'refuses wrapping: a second assertion in another namespace',
        'a comment cannot cut a name short',
        'document types, external entities and entity bombs are refused unread',
        'a response for another audience, address, request or from another issuer is refused though signed',
        'time: expired, not yet valid, an ended session, nonsense',
      ],
    ),
    mended('cve-2024-23656', 'TLS 1.0 and 1.1 are refused, and tlsMinVersion is obeyed (GHSA-gr79-9v6v-gc9r).', [
      LISTENERS,
      'serves HTTPS, refuses TLS before 1.2, and takes a renewed certificate',
    ]),
    mended(
      'allowed-connectors',
      'Every grant obeys the connectors that a client is tied to (GHSA-7qjx-gp9h-65qj, #4784, #4889).',
      [ATTACKS, 'GHSA-7qjx-gp9h-65qj, #4784, #4889: every grant obeys the connectors that a client is tied to'],
      [
        'test/connector-grants.attack.test.ts',
        'a refresh token ends to work when its connector no longer serves refreshes',
      ],
    ),
    mended(
      'device-codes',
      'A device never gets tokens for a code of another client, and no secret is in an address (#4928).',
      [ATTACKS, '#4928: codes of another client at the device callback; a client secret in an address'],
      [
        'test/device-mistakes.attack.test.ts',
        'a code of the same client for another place, and one used before, are worth nothing',
      ],
    ),
    mended('back-link', 'The link back leads nowhere else: absolute, //, /\\, and line breaks (#4927).', [
      ATTACKS,
      '#4927 (back link): open redirect through the back link',
    ]),
    mended('client-address', 'A client cannot choose its own address by a header (#4927).', [
      ATTACKS,
      '#4927 (client address): an address that the client chose itself',
    ]),
    mended(
      'step-proof',
      'The proof of one step is worth nothing at another, or for another request (#4927).',
      ['src/approval/approval.attack.test.ts', 'the id of a logged-in request without its proof gives nothing'],
      ['src/login/login.attack.test.ts', 'a state that is missing, invented, cut or of another purpose opens nothing'],
    ),
    mended('decoded-twice', 'A redirect URI is decoded once (#4885).', [
      ATTACKS,
      '#4885: a redirect URI decoded twice',
    ]),
    held({
      id: 'totp-replay',
      fact: 'There are no second factors whose codes could be used again (#4884).',
      stand: 'absent',
      dex: 'Later versions have them.',
      why: 'A file that asks for a second factor is refused, never served without it.',
      by: [['src/config/parse-config.test.ts', 'what promises a second factor and cannot keep it is refused']],
    }),
    mended('approval-twice', 'Of 50 answers to one approval one gets a code (#4620).', [
      'src/approval/approval.attack.test.ts',
      'of 50 submits at once one gets the code, and the others find nothing',
    ]),
    safer(
      {
        id: 'code-race',
        fact: 'Of 50 redemptions of one code at once one gets tokens.',
        dex: '2.45 may give tokens to several.',
        why: 'The code is taken out of the storage before anything else.',
      },
      [CODE, 'of 50 parallel redemptions of a code exactly one wins'],
    ),
    safer(
      {
        id: 'refresh-race',
        fact: 'Of 50 uses of one refresh token at once one wins and none ends in a failure, also where the upstream’s own token works once.',
        dex: 'Answers the others with 500 in 2.45.',
        why: 'A client in a hurry is no attacker, and a failure would be tried again.',
      },
      [CODE, 'a refresh token is used once: of 50 parallel uses exactly one wins and none ends in a failure'],
      [
        'test/refresh-races.test.ts',
        'without one a single request of ten wins, and its successor goes on working',
        'two replicas that ask the upstream at once log nobody out (no reuse interval)',
      ],
    ),
    mended('login-csrf', 'A login that an attacker began goes to that client with that state, and nowhere else.', [
      ATTACKS,
      'inherent: login CSRF: a login that an attacker began',
    ]),
    safer(
      {
        id: 'flood',
        fact: '100,000 requests of people who never log in leave no row and no memory behind; device codes are bounded.',
        dex: 'Stores each request for a day.',
        why: 'A request travels sealed in its address until somebody has logged in.',
      },
      [ATTACKS, 'inherent: storage, kubeflow/kubeflow#4737: strangers cannot fill the storage'],
      ['test/flood.long.test.ts', '100,000 requests without a login leave no row and no memory behind'],
    ),
    mended('ldap', 'Empty passwords and names that are filters let nobody in.', [
      ATTACKS,
      'inherent: LDAP injection, inherent: unauthenticated bind: names that are filters, passwords that are empty',
    ]),
    mended('scripting', 'Names of clients, people and connectors, codes, states and errors stay text on every page.', [
      ATTACKS,
      'inherent: cross-site scripting: names, codes, states and errors stay text',
    ]),
    mended(
      'forged-tokens',
      'alg none, HMAC with a public key, foreign keys and kids are refused wherever a token is taken.',
      [
        ATTACKS,
        'inherent: alg none, inherent: key confusion, inherent: foreign kid: forged tokens at every place that takes one',
      ],
      ['src/connectors/oidc/oidc-upstream.attack.test.ts', 'ID tokens that the upstream did not sign are refused'],
    ),
    mended('remote-headers', 'X-Remote headers of a browser are dropped.', [
      ATTACKS,
      'inherent: X-Remote headers: a browser that claims to be the proxy',
    ]),
    safer(
      {
        id: 'enumeration',
        fact: 'A name that does not exist costs the same work, and waits as long, as one that does.',
        dex: 'Answers at once for a name that does not exist.',
        why: 'Time must not tell who has an account.',
      },
      [ATTACKS, 'inherent: user enumeration by time: the same work for a name that does not exist'],
      [
        'src/login/login.attack.test.ts',
        'guessing has to wait, for names that exist and names that do not alike, until time passes',
      ],
    ),
    safer(
      {
        id: 'userinfo-subject',
        fact: 'An upstream’s userinfo about another person is refused (#4827).',
        dex: 'Does not compare the two.',
        why: 'OpenID Connect Core §5.3.2.',
      },
      [ATTACKS, '#4827: userinfo of another person'],
    ),
  ],
};
