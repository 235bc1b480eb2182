/** Owns the settings of who may use the platform besides logged-in people, and who of these. */
import type { EnvReader } from '@kfctl/core';
import type { Config } from './config.ts';
import { isHttpUrl } from './provider-settings.ts';

type AccessSettings = Pick<
  Config,
  | 'allowedGroups'
  | 'administrators'
  | 'apiTokenMaxAgeMs'
  | 'bearer'
  | 'verifyMethodHeader'
  | 'forwardAuth'
  | 'externalAuthorizerUrl'
>;

export interface BearerConfig {
  /** Audiences that make a token ours, besides our client id. */
  readonly audiences: readonly string[];
  readonly idTokens: boolean;
  readonly accessTokens: 'jwt' | 'opaque' | 'none';
  readonly kubernetesTokens: boolean;
  /** How long a token that was revoked meanwhile may still work. */
  readonly beliefMs: number;
}

const YEAR_MS = 366 * 24 * 3_600_000;
const GATEWAY_AUDIENCE = 'istio-ingressgateway.istio-system.svc.cluster.local';

export function readAccessSettings(reader: EnvReader): AccessSettings {
  const form = reader.string('ACCESS_TOKEN_AUTHN', 'jwt').toLowerCase();
  if (form !== 'jwt' && form !== 'opaque')
    reader.problem('ACCESS_TOKEN_AUTHN', `"${form}" is unknown; use jwt or opaque`);
  const apiTokenMaxAgeMs = reader.durationMs('API_TOKEN_MAX_AGE', YEAR_MS);
  if (apiTokenMaxAgeMs > YEAR_MS) reader.problem('API_TOKEN_MAX_AGE', 'must be at most 8784h, which is 366 days');
  const externalAuthorizerUrl = reader.optional('EXTERNAL_AUTHZ_URL');
  if (externalAuthorizerUrl !== undefined && !isHttpUrl(externalAuthorizerUrl)) {
    reader.problem('EXTERNAL_AUTHZ_URL', `"${externalAuthorizerUrl}" is not an http:// or https:// address`);
  }
  return {
    externalAuthorizerUrl,
    allowedGroups: splitCommas(reader.string('GROUPS_ALLOWLIST', '*')),
    administrators: splitCommas(reader.optional('ADMINISTRATORS') ?? ''),
    apiTokenMaxAgeMs,
    verifyMethodHeader: reader.optional('VERIFY_METHOD_HEADER')?.toLowerCase(),
    forwardAuth: reader.boolean('FORWARD_AUTH_ENABLED', false),
    bearer: {
      audiences: reader.list('AUDIENCES', [GATEWAY_AUDIENCE]),
      idTokens: reader.boolean('IDTOKEN_AUTHN_ENABLED', true),
      accessTokens: reader.boolean('ACCESS_TOKEN_AUTHN_ENABLED', true)
        ? form === 'opaque'
          ? 'opaque'
          : 'jwt'
        : 'none',
      kubernetesTokens: reader.boolean('KUBERNETES_AUTHN_ENABLED', false),
      beliefMs: readBelief(reader),
    },
  };
}

const DEFAULT_BELIEF_MS = 60_000;

/** CACHE_ENABLED=true takes the reference's minutes, =false asks about every request; silent, a minute. */
function readBelief(reader: EnvReader): number {
  const minutes = reader.integer('CACHE_EXPIRATION_MINUTES', { fallback: 5, min: 1, max: 60 });
  if (reader.optional('CACHE_ENABLED') === undefined) return DEFAULT_BELIEF_MS;
  return reader.boolean('CACHE_ENABLED', false) ? minutes * 60_000 : 0;
}

/** Names of groups and people may have blanks inside. */
function splitCommas(text: string): readonly string[] {
  return text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
}
