/** Owns the AuthService's settings: the names of the reference's eras, read once, all mistakes at once. */
import { createEnvReader } from '@kfctl/core';
import type { Environment, EnvReader, LogLevel, Secret } from '@kfctl/core';
import type { CookieAttributes } from '@kfctl/oidc';
import type { IdentityRules } from '../login/identity-of.ts';
import type { RedisConfig } from '../session/redis-store.ts';
import { readAccessSettings } from './access-settings.ts';
import type { BearerConfig } from './access-settings.ts';
import { readIdentitySettings } from './identity-settings.ts';
import { settingsWithoutEffect } from './older-settings.ts';
import { readPathSettings } from './path-settings.ts';
import { readProviderSettings } from './provider-settings.ts';
import { readSessionSettings } from './session-settings.ts';

export interface Config {
  /** The issuer as its tokens and its discovery document name it. */
  readonly issuer: string;
  /** Where browsers are sent instead of the discovered endpoint; may be a path. */
  readonly authorizationUrl: string | undefined;
  /** The provider's logout page as browsers reach it, where it is not the discovered one. */
  readonly endSessionUrl: string | undefined;
  readonly clientId: string;
  readonly clientSecret: Secret;
  /** redirect_uri as registered; may be a path. Its path is the callback route. */
  readonly redirectUri: string;
  readonly callbackPath: string;
  readonly scopes: readonly string[];
  /** PEM text of authorities that the provider's certificate may be of, besides the system's. */
  readonly authorities: string | undefined;
  readonly useUserinfo: boolean;
  readonly userIdHeader: string;
  readonly groupsHeader: string;
  readonly authMethodHeader: string | undefined;
  readonly removedHeaders: readonly string[];
  /** A header for session tokens besides Authorization and X-Auth-Token. */
  readonly sessionHeader: string | undefined;
  /** The header for all other tokens. */
  readonly bearerHeader: string;
  /** Whether the gateway that asks over HTTP copies that header of our answers. */
  readonly gatewayCopiesGroups: boolean;
  /** Keys of the proof that backends check; empty: none is given. */
  readonly assertionKeys: readonly Secret[];
  readonly userIdClaim: string;
  readonly identityRules: IdentityRules;
  /** Paths that need no session, whole segments. */
  readonly exemptPaths: readonly string[];
  /** Path below which the AuthService has its own routes; no slash at the end. */
  readonly urlPrefix: string;
  /** Where proxies that know yes and no ask; no slash at the end. */
  readonly verifyPath: string;
  readonly afterLoginUrl: string;
  /** It is told the page that was asked for, as `next`. */
  readonly afterLoginNamesPage: boolean;
  readonly afterLogoutUrl: string;
  /** What the provider is asked to send people back to; it has to be registered there, so undefined unless AFTER_LOGOUT_URL is set. */
  readonly postLogoutRedirectUri: string | undefined;
  readonly cookieName: string;
  readonly cookieAttributes: CookieAttributes;
  readonly maxAgeSeconds: number;
  readonly idleTimeoutMs: number;
  /** The provider is asked about each request of a session. */
  readonly strictValidation: boolean;
  readonly store: StoreConfig;
  /** The first seals, all open. */
  readonly encryptionKeys: readonly Secret[];
  /** The header in which a proxy states the method when it asks `verify`; undefined: none does. */
  readonly verifyMethodHeader: string | undefined;
  /** Answers Traefik's forwardAuth. */
  readonly forwardAuth: boolean;
  /** `*`: everybody who can log in. */
  readonly allowedGroups: readonly string[];
  /** Asked about each request of somebody; undefined: nobody is. */
  readonly externalAuthorizerUrl: string | undefined;
  /** User ids that may see and end everybody's sessions. */
  readonly administrators: readonly string[];
  readonly apiTokenMaxAgeMs: number;
  readonly bearer: BearerConfig;
  readonly host: string;
  readonly port: number;
  readonly readinessPort: number;
  /** Where Envoy's ext_authz asks over gRPC; 0: nowhere. */
  readonly grpcPort: number;
  readonly logLevel: LogLevel;
  /** Settings of older AuthServices that mean nothing here, with the reason. */
  readonly withoutEffect: readonly string[];
}

export type StoreConfig =
  | { readonly kind: 'kubernetes'; readonly namespace: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'redis'; readonly redis: RedisConfig };

const PORT_RANGE = { min: 1, max: 65_535 };
const LOG_LEVELS: Readonly<Record<string, LogLevel>> = {
  debug: 'debug',
  info: 'info',
  warn: 'warn',
  warning: 'warn',
  error: 'error',
  fatal: 'error',
};

/** Reads and judges the environment; throws CONFIG_INVALID that lists every mistake. An empty value counts as absent. */
export function readConfig(env: Environment): Config {
  const reader = createEnvReader(env);
  const config: Config = {
    ...readProviderSettings(reader),
    ...readPathSettings(reader),
    ...readIdentitySettings(reader),
    ...readSessionSettings(reader),
    ...readAccessSettings(reader),
    host: reader.string('SERVER_HOSTNAME', '0.0.0.0'),
    port: reader.integer(reader.optional('SERVER_PORT') ? 'SERVER_PORT' : 'PORT', { fallback: 8080, ...PORT_RANGE }),
    readinessPort: reader.integer('READINESS_PROBE_PORT', { fallback: 8081, ...PORT_RANGE }),
    grpcPort: reader.integer('GRPC_PORT', { fallback: 0, min: 0, max: 65_535 }),
    logLevel: readLogLevel(reader),
    withoutEffect: settingsWithoutEffect(env),
  };
  requireOwnPorts(reader, config);
  reader.finish();
  return Object.freeze(config);
}

function requireOwnPorts(reader: EnvReader, { port, readinessPort, grpcPort }: Config): void {
  if (readinessPort === port) reader.problem('READINESS_PROBE_PORT', 'is the same as SERVER_PORT');
  if (grpcPort === port || grpcPort === readinessPort) reader.problem('GRPC_PORT', 'is taken by another of our ports');
}

function readLogLevel(reader: EnvReader): LogLevel {
  const text = reader.string('LOG_LEVEL', 'info');
  const level = LOG_LEVELS[text.toLowerCase()];
  if (level === undefined) reader.problem('LOG_LEVEL', `"${text}" is unknown; use debug, info, warn or error`);
  return level ?? 'info';
}
