/** Owns the `oauth2`, `expiry` and `signer` sections. */
import { PKCE_METHODS, SIGNATURE_ALGORITHMS } from '@kfctl/oidc';
import type { ExpiryConfig, GrantType, OAuth2Config, SignerConfig } from './config.ts';
import { object } from './object-shape.ts';
import { boolean, duration, expanded, isSaidYes, listOf, mapped, oneOf, refine, string } from './shape.ts';
import type { Shape } from './shape.ts';

export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';
export const EXCHANGE_GRANT = 'urn:ietf:params:oauth:grant-type:token-exchange';

/** In the order of discovery. client_credentials must be asked for. */
export const GRANT_TYPES: readonly GrantType[] = [
  'authorization_code',
  'client_credentials',
  'implicit',
  'password',
  'refresh_token',
  DEVICE_GRANT,
  EXCHANGE_GRANT,
];
const DEFAULT_GRANTS = GRANT_TYPES.filter((grant) => grant !== 'client_credentials');
const RESPONSE_TYPES: ReadonlySet<string> = new Set(['code', 'token', 'id_token']);

const section = object('Rules of the OAuth 2.0 endpoints.', {
  grantTypes: listOf('Grants of the token endpoint.', string('A grant type.'), DEFAULT_GRANTS),
  responseTypes: listOf('`code`, `token`, `id_token`, or combinations in one string.', string('A response type.'), [
    'code',
  ]),
  skipApprovalScreen: boolean('Do not ask the person whether the client may know who they are.'),
  alwaysShowLoginScreen: boolean('Show the choice of connectors even when there is one.'),
  passwordConnector: string('The connector of the password grant; without it the grant is off.'),
  strictPromptNone: boolean(
    'prompt=none never shows a page: the client gets login_required or interaction_required (OpenID Connect Core §3.1.2.1). ' +
      'Off, because proxies in front of Kubeflow send prompt=none and count on a login page.',
  ),
  pkce: object('Proof Key for Code Exchange (RFC 7636).', {
    enforce: boolean('Refuse authorization requests without a code challenge.'),
    codeChallengeMethodsSupported: listOf('Accepted methods.', string('S256 or plain.'), PKCE_METHODS),
  }),
});

const checked = refine(section, (oauth2, complain) => {
  const badGrant = oauth2.grantTypes.find((grant) => !isGrantType(grant));
  if (badGrant !== undefined) complain('grantTypes', `holds "${badGrant}"`, `Known: ${GRANT_TYPES.join(', ')}.`);
  const badType = oauth2.responseTypes.flatMap(words).find((word) => !RESPONSE_TYPES.has(word));
  if (badType !== undefined) complain('responseTypes', `holds "${badType}"`, 'Known: code, token, id_token.');
  const badMethod = oauth2.pkce.codeChallengeMethodsSupported.find((method) => method !== 'S256' && method !== 'plain');
  if (badMethod !== undefined) complain('pkce', `supports no method "${badMethod}"`, 'Known: S256, plain.');
});

export const oauth2Section: Shape<OAuth2Config> = {
  ...checked,
  read: (node, context) => {
    const oauth2 = checked.read(node, context);
    // Dex's switch for files that do not list grants.
    const more =
      isSaidYes(context.env['DEX_CLIENT_CREDENTIAL_GRANT_ENABLED_BY_DEFAULT']) && oauth2.grantTypes === DEFAULT_GRANTS
        ? (['client_credentials'] as const)
        : [];
    return {
      ...oauth2,
      grantTypes: new Set([...oauth2.grantTypes.filter(isGrantType), ...more]),
      responseTypes: new Set(oauth2.responseTypes.flatMap(words)),
    };
  },
};

const expiry: Shape<ExpiryConfig> = object('How long things live.', {
  signingKeys: duration('A new signing key is made this often.', '6h'),
  idTokens: duration('ID and access tokens.', '24h'),
  authRequests: duration('A login page may stay open this long.', '24h'),
  deviceRequests: duration('A device code.', '5m'),
  refreshTokens: object('Refresh tokens.', {
    disableRotation: boolean('Keep the same refresh token at every use.'),
    reuseInterval: duration('A token just replaced is accepted this long and gives the same successor.', '0s'),
    validIfNotUsedFor: duration('Dies when unused for this long; 0 means never.', '0s'),
    absoluteLifetime: duration('Dies this long after it was issued at login; 0 means never.', '0s'),
  }),
});

export const expirySection: Shape<ExpiryConfig> = refine(expiry, ({ idTokens }, complain) => {
  if (idTokens < 1000)
    complain('idTokens', 'is less than a second', 'Write at least 1s; tokens count in whole seconds.');
});

const signer = object('How tokens are signed.', {
  type: oneOf('Where the keys are; keys live in the storage.', { values: ['local'], fallback: 'local' }),
  config: expanded(
    object('Local signer.', {
      algorithm: oneOf('RS256 is understood by everything; ES256 is several times faster.', {
        values: SIGNATURE_ALGORITHMS,
        fallback: 'RS256',
      }),
      keysRotationPeriod: duration('As expiry.signingKeys, which it overrides.', '0s'),
    }),
  ),
});

export const signerSection: Shape<SignerConfig> = mapped(signer, ({ config }) => ({
  algorithm: config.algorithm,
  keysRotationPeriodMs: config.keysRotationPeriod,
}));

function isGrantType(value: string): value is GrantType {
  return (GRANT_TYPES as readonly string[]).includes(value);
}

function words(text: string): readonly string[] {
  return text.split(/\s+/).filter((word) => word !== '');
}
