/** Owns the configuration of the connector to another OpenID Connect provider: Dex's keys. */
import type { Secret } from '@kfctl/core';
import { object } from '../../config/object-shape.ts';
import { boolean, listOf, optional, refine, secret, string } from '../../config/shape.ts';
import type { Shape } from '../../config/shape.ts';

export interface ClaimMapping {
  readonly preferred_username: string;
  readonly email: string;
  readonly groups: string;
}

export interface NewGroup {
  readonly claims: readonly string[];
  readonly delimiter: string;
  readonly clearDelimiter: boolean;
  readonly prefix: string;
}

export interface OidcConfig {
  readonly issuer: string;
  readonly clientID: string;
  readonly clientSecret: Secret;
  readonly redirectURI: string;
  readonly issuerAlias: string;
  readonly providerDiscoveryOverrides: {
    readonly tokenURL: string;
    readonly authURL: string;
    readonly jwksURL: string;
    readonly userInfoURL: string;
    readonly deviceAuthURL: string;
    readonly endSessionURL: string;
  };
  readonly basicAuthUnsupported: boolean;
  readonly scopes: readonly string[];
  readonly rootCAs: readonly string[];
  readonly insecureSkipVerify: boolean;
  readonly insecureSkipEmailVerified: boolean;
  readonly insecureEnableGroups: boolean;
  readonly allowedGroups: readonly string[];
  readonly acrValues: readonly string[];
  readonly getUserInfo: boolean;
  readonly userIDKey: string;
  readonly userNameKey: string;
  readonly promptType: string | undefined;
  readonly overrideClaimMapping: boolean;
  readonly claimMapping: ClaimMapping;
  readonly claimModifications: {
    readonly newGroupFromClaims: readonly NewGroup[];
    readonly filterGroupClaims: { readonly groupsFilter: string };
    readonly modifyGroupNames: { readonly prefix: string; readonly suffix: string };
  };
}

const text = (summary: string): Shape<string> => string(summary);
const texts = (summary: string, fallback: readonly string[] = []): Shape<readonly string[]> =>
  listOf(summary, string('A value.'), fallback);

const document = object('Another OpenID Connect provider.', {
  issuer: string('Its issuer URL.', { required: true }),
  clientID: string('The client id we have there.', { required: true }),
  clientSecret: secret('The client secret we have there.'),
  redirectURI: string('Our own callback as registered there: <issuer>/callback.', { required: true }),
  issuerAlias: text('The issuer it writes into tokens, where that differs from its URL.'),
  providerDiscoveryOverrides: object('Replaces parts of what it says of itself.', {
    tokenURL: text('Token endpoint.'),
    authURL: text('Authorization endpoint.'),
    jwksURL: text('Keys.'),
    userInfoURL: text('Userinfo endpoint.'),
    deviceAuthURL: text('Accepted for compatibility: people are redirected.'),
    endSessionURL: text('Where a logout here is told to it.'),
  }),
  basicAuthUnsupported: boolean('Send the client secret in the form instead of a header.'),
  scopes: texts('Scopes asked for besides openid.', ['profile', 'email']),
  hostedDomains: texts('Not supported here, as in Dex: use the google connector.'),
  rootCAs: texts('Files, or PEM or base64 of PEM, with the certificate authorities to trust instead of the system’s.'),
  insecureSkipVerify: boolean('Do not check its certificate.'),
  insecureSkipEmailVerified: boolean('Take e-mail addresses as verified when it does not say.'),
  insecureEnableGroups: boolean('Take groups from it; they are as old as the last login.'),
  allowedGroups: texts('Only people in one of these may log in.'),
  acrValues: texts('Authentication contexts that are asked for.'),
  getUserInfo: boolean('Also ask its userinfo endpoint.'),
  userIDKey: string('The claim that is the stable id.', { fallback: 'sub' }),
  userNameKey: string('The claim that is the name.', { fallback: 'name' }),
  promptType: optional(string('prompt for offline access; consent unless given, empty for none.')),
  pkceChallenge: text('Accepted for compatibility: S256 is always used.'),
  overrideClaimMapping: boolean('Mapped claims win over the standard ones.'),
  claimMapping: object('Other names of claims.', {
    preferred_username: text('Read instead of preferred_username.'),
    email: text('Read instead of email.'),
    groups: text('Read instead of groups.'),
  }),
  claimModifications: object('Groups made of other claims, filtered, renamed.', {
    newGroupFromClaims: listOf(
      'Groups whose name is made of claims.',
      object('One such group.', {
        claims: texts('The claims, in order.'),
        delimiter: text('Stands between their values.'),
        clearDelimiter: boolean('Remove the delimiter from the values first.'),
        prefix: text('Stands before.'),
      }),
    ),
    filterGroupClaims: object('Which groups are kept.', { groupsFilter: text('A regular expression.') }),
    modifyGroupNames: object('Changes all names.', { prefix: text('Put before.'), suffix: text('Put after.') }),
  }),
});

export const oidcSchema: Shape<OidcConfig> = refine(document, (config, complain) => {
  if (config.hostedDomains.length > 0)
    complain('hostedDomains', 'is not supported', 'Use allowedGroups, or the google connector.');
  for (const key of ['issuer', 'redirectURI'] as const) {
    if (config[key] !== '' && !URL.canParse(config[key])) complain(key, 'is not a URL', 'Write it with https://.');
  }
  const { groupsFilter } = config.claimModifications.filterGroupClaims;
  if (!isRegExp(groupsFilter))
    complain('claimModifications', 'has a groupsFilter that is no regular expression', 'Correct it.');
});

function isRegExp(pattern: string): boolean {
  try {
    return new RegExp(pattern) instanceof RegExp;
  } catch {
    return false;
  }
}
