/** Owns the rows about what the Basic OP profile of the certification asks, and which of our tests asks it. */
import { held } from './held-by.ts';
import type { HeldBy } from './held-by.ts';
import type { Row, Section } from './row.ts';

const FLOW = 'test/black-box-flow.test.ts';
const LOGIN_FLOW = 'src/serve/login-flow.test.ts';
const AUTHORIZE = 'src/authorize/authorize.attack.test.ts';
const INDEPENDENT = 'src/serve/independent-client.test.ts';

const kept = (id: string, fact: string, ...by: readonly HeldBy[]): Row => held({ id, fact, stand: 'kept', by });

export const BASIC_PROFILE: Section = {
  id: '5.2',
  title: 'What the Basic OP profile asks',
  rows: [
    kept(
      'ignored',
      'display, locales, acr_values, claims, registration and unknown parameters change nothing; a nonce is not needed for a code.',
      [FLOW, 'parameters of OpenID Connect that are not served change nothing'],
    ),
    kept('kid', 'The head of a token has alg and kid and nothing else.', [
      FLOW,
      'the head of a token names algorithm and key and nothing else; the key is published',
    ]),
    kept('scopes', 'Claims come with their scopes.', [LOGIN_FLOW, 'claims come only with their scopes']),
    kept('userinfo', 'userinfo by GET takes the access token.', [
      'src/userinfo/userinfo.attack.test.ts',
      'access and ID tokens are accepted, with the scheme in any case',
    ]),
    kept('redirect-mismatch', 'A redirect URI that is not registered is a page.', [
      AUTHORIZE,
      'a redirect URI that is not registered to the letter is a page, never a redirect',
    ]),
    kept('code-reuse', 'A code that is shown again is invalid_grant.', [
      FLOW,
      'a code that is shown twice is refused the second time, and tokens of the first go on',
    ]),
    kept('client-authentication', 'A client proves itself by client_secret_basic or client_secret_post.', [
      FLOW,
      'a client proves itself by Basic or in the form',
    ]),
    held({
      id: 'prompt-none',
      fact: 'prompt=none ends in a login page as proxies of Kubeflow need it, or in login_required with oauth2.strictPromptNone.',
      stand: 'more',
      dex: 'Ignores it in 2.45.',
      why: 'oauth2-proxy sends it with every request; who wants the profile turns strictness on.',
      by: [
        [LOGIN_FLOW, 'prompt=none ends in the login page, as clients of Kubeflow need it'],
        [
          'src/session/session.attack.test.ts',
          'prompt=none: a login page as proxies want it, or login_required in strict mode',
        ],
      ],
    }),
    held({
      id: 'prompt-login',
      fact: 'prompt=login, max_age and auth_time work where there are sessions.',
      stand: 'more',
      dex: 'Ignores them in 2.45.',
      why: 'Clients that ask for a fresh login must get one.',
      by: [
        [
          'src/session/session.attack.test.ts',
          'prompt=login and select_account ask; max_age asks when the login is older; auth_time says when it was',
        ],
      ],
    }),
    held({
      id: 'certified-upstream',
      fact: 'A certified provider (oidc-provider) is understood as upstream, and an independent client (openid-client) understands us.',
      stand: 'more',
      dex: 'Is tested against Go’s client.',
      why: 'Both ends of the protocol are judged by somebody else’s reading of it.',
      by: [
        ['src/connectors/oidc/oidc-connector.test.ts', 'a person of a certified provider logs in, with groups'],
        [INDEPENDENT, 'openid-client passes code with PKCE, userinfo and refresh'],
      ],
    }),
  ],
};
