/**
 * Every advisory and security change of Dex (reference: its advisories up to 2026) with the attack that shows it absent here: one that
 * runs in this file, or the tests beside the code that hold it, whose names are checked so that none can vanish silently.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { attackBackLinks, attackForwardedFor, attackLoginCsrf, attackTwiceDecodedUris } from './attacks/browser.ts';
import { attackApproval, attackRemoteHeaders } from './attacks/other-peoples-logins.ts';
import { attackDeviceFlood } from './attacks/flood.ts';
import { attackForgedTokens } from './attacks/forged-tokens.ts';
import { attackTiedClient } from './attacks/tied-client.ts';
import { requireTests } from './conformance/held-by.ts';
import type { HeldBy } from './conformance/held-by.ts';

interface Advisory {
  readonly what: string;
  readonly ids: readonly string[];
  readonly attack?: (t: TestContext) => Promise<void>;
  /** Tests beside the code. */
  readonly held?: readonly HeldBy[];
}

const ADVISORIES: readonly Advisory[] = [
  {
    ids: ['GHSA-vh7g-p26c-j2cw', 'CVE-2022-39222'],
    what: 'the id of a request in flight gives nobody the code of the person who finishes it',
    attack: attackApproval,
    held: [['approval/approval.attack.test.ts', 'the id of a logged-in request without its proof gives nothing']],
  },
  {
    ids: ['GHSA-m9hp-7r99-94h5', 'CVE-2020-26290', 'CVE-2020-15216', 'CVE-2020-27847', 'GHSA-2x32-jm95-2cpx', '#895'],
    what: 'signature bypasses of SAML',
    held: [
      [
        'connectors/saml/read-response.attack.test.ts',
        'an unsigned response is refused, and one whose signature is by somebody else',
        'a change of a single character anywhere in what is signed is refused',
        'a comment cannot cut a name short',
        'document types, external entities and entity bombs are refused unread',
        'a response for another audience, address, request or from another issuer is refused though signed',
        'time: expired, not yet valid, an ended session, nonsense',
      ],
    ],
  },
  {
    ids: ['CVE-2024-23656', 'GHSA-gr79-9v6v-gc9r'],
    what: 'TLS before 1.2',
    held: [['serve/listeners.test.ts', 'serves HTTPS, refuses TLS before 1.2, and takes a renewed certificate']],
  },
  {
    ids: ['GHSA-7qjx-gp9h-65qj', '#4784', '#4889'],
    what: 'every grant obeys the connectors that a client is tied to',
    attack: attackTiedClient,
    held: [
      ['token/other-grants.test.ts', 'token exchange asks the named connector and obeys what the client is tied to'],
      ['authorize/authorize.attack.test.ts', 'a client tied to other connectors cannot be entered through this one'],
    ],
  },
  {
    ids: ['#4928'],
    what: 'codes of another client at the device callback; a client secret in an address',
    held: [
      [
        'device/device.attack.test.ts',
        'a code of another client or another place never becomes the tokens of a device',
        'a stranger who is led into a device login by a link is asked first, and no secret is in any address',
      ],
    ],
  },
  { ids: ['#4927 (back link)'], what: 'open redirect through the back link', attack: attackBackLinks },
  { ids: ['#4927 (client address)'], what: 'an address that the client chose itself', attack: attackForwardedFor },
  { ids: ['#4885'], what: 'a redirect URI decoded twice', attack: attackTwiceDecodedUris },
  {
    ids: ['#4620'],
    what: 'approval sent twice',
    held: [
      ['approval/approval.attack.test.ts', 'of 50 submits at once one gets the code, and the others find nothing'],
    ],
  },
  {
    ids: ['race of codes', 'race of refresh tokens'],
    what: 'parallel redemption',
    held: [
      [
        'token/token.attack.test.ts',
        'of 50 parallel redemptions of a code exactly one wins',
        'a refresh token is used once: of 50 parallel uses exactly one wins and none ends in a failure',
      ],
    ],
  },
  { ids: ['inherent: login CSRF'], what: 'a login that an attacker began', attack: attackLoginCsrf },
  {
    ids: ['inherent: storage', 'kubeflow/kubeflow#4737'],
    what: 'strangers cannot fill the storage',
    attack: attackDeviceFlood,
    held: [
      ['authorize/authorize.attack.test.ts', 'requests and failed logins of strangers leave nothing in the storage'],
    ],
  },
  {
    ids: ['inherent: LDAP injection', 'inherent: unauthenticated bind'],
    what: 'names that are filters, passwords that are empty',
    held: [
      [
        'connectors/ldap/ldap-connector.test.ts',
        'wrong and empty passwords, unknown names, wild cards and injections are refused',
      ],
    ],
  },
  {
    ids: ['inherent: cross-site scripting'],
    what: 'names, codes, states and errors stay text',
    held: [
      ['approval/approval.attack.test.ts', 'the page names client and scopes as text, and approving gives the code'],
      ['login/login.attack.test.ts', 'what was typed comes back as text'],
      ['device/device.attack.test.ts', 'a wrong user code is told on the page, as text'],
      [
        'authorize/authorize.attack.test.ts',
        'header and markup injection through state, error text and connector names stay text',
      ],
    ],
  },
  {
    ids: ['inherent: alg none', 'inherent: key confusion', 'inherent: foreign kid'],
    what: 'forged tokens at every place that takes one',
    attack: attackForgedTokens,
  },
  { ids: ['inherent: X-Remote headers'], what: 'a browser that claims to be the proxy', attack: attackRemoteHeaders },
  {
    ids: ['inherent: user enumeration by time'],
    what: 'the same work for a name that does not exist',
    held: [['connectors/local/local-connector.test.ts', 'a name that does not exist costs a check of a cost in use']],
  },
  {
    ids: ['#4827'],
    what: 'userinfo of another person',
    held: [['connectors/oidc/oidc-upstream.attack.test.ts', 'userinfo about another person is refused']],
  },
];

for (const { ids, what, attack, held = [] } of ADVISORIES) {
  test(`${ids.join(', ')}: ${what}`, async (t) => {
    assert.ok(attack !== undefined || held.length > 0);
    for (const [file, ...names] of held) requireTests(`src/${file}`, names);
    await attack?.(t);
  });
}
