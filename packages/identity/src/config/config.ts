/** Owns the shape of the configuration after reading: frozen, complete, in our own words; nothing here touches files or the environment. */
import type { PostgresSettings } from '../storage/postgres/postgres-settings.ts';
import type { Secret } from '@kfctl/core';
import type { SignatureAlgorithm } from '@kfctl/oidc';
import type { ConnectorEntry } from '../connectors/connector.ts';

export interface IdentityConfig {
  /** The `iss` of every token, as written. */
  readonly issuer: string;
  /** The issuer's path without a trailing slash; empty for none. All routes live under it. */
  readonly basePath: string;
  readonly storage: StorageConfig;
  readonly web: WebConfig;
  readonly telemetry: TelemetryConfig;
  /** Undefined: the management API is not served. */
  readonly grpc: GrpcConfig | undefined;
  readonly oauth2: OAuth2Config;
  /** Undefined: no sessions, every login asks. */
  readonly sessions: SessionsConfig | undefined;
  readonly expiry: ExpiryConfig;
  readonly signer: SignerConfig;
  readonly logger: LoggerConfig;
  readonly frontend: FrontendConfig;
  readonly staticClients: readonly StaticClient[];
  readonly enablePasswordDB: boolean;
  readonly staticPasswords: readonly StaticPassword[];
  readonly connectors: readonly ConnectorEntry[];
}

export type StorageConfig =
  | { readonly type: 'memory' }
  | { readonly type: 'sqlite3'; readonly file: string }
  | ({ readonly type: 'postgres' } & PostgresSettings)
  | { readonly type: 'kubernetes'; readonly inCluster: boolean; readonly kubeConfigFile: string };

/** `host:port` of a listener. */
export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

export interface WebConfig {
  readonly http: ListenAddress | undefined;
  readonly https: ListenAddress | undefined;
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly tlsMinVersion: '1.2' | '1.3';
  readonly tlsMaxVersion: '1.2' | '1.3';
  /** Extra headers of every response, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  readonly allowedOrigins: readonly string[];
  readonly allowedHeaders: readonly string[];
  readonly clientRemoteIP: { readonly header: string; readonly trustedProxies: readonly string[] };
}

export interface TelemetryConfig {
  readonly http: ListenAddress | undefined;
  readonly enableProfiling: boolean;
}

export interface GrpcConfig {
  readonly addr: ListenAddress;
  /** Without certificates, on loopback alone, these are empty. */
  readonly tlsCert: string;
  readonly tlsKey: string;
  readonly tlsClientCA: string;
  readonly tlsMinVersion: '1.2' | '1.3';
  readonly tlsMaxVersion: '1.2' | '1.3';
  readonly reflection: boolean;
  /** `DEX_API_CONNECTORS_CRUD`: whether connectors may be kept through the API. */
  readonly connectorsCrud: boolean;
  /** `DEX_API_SESSIONS_IDENTITIES_CRUD`: whether login sessions and people can be seen and ended through the API. */
  readonly sessionsCrud: boolean;
}

export type GrantType =
  | 'authorization_code'
  | 'implicit'
  | 'password'
  | 'refresh_token'
  | 'client_credentials'
  | 'urn:ietf:params:oauth:grant-type:device_code'
  | 'urn:ietf:params:oauth:grant-type:token-exchange';

export interface OAuth2Config {
  readonly grantTypes: ReadonlySet<GrantType>;
  readonly responseTypes: ReadonlySet<string>;
  readonly skipApprovalScreen: boolean;
  readonly alwaysShowLoginScreen: boolean;
  readonly passwordConnector: string;
  readonly strictPromptNone: boolean;
  readonly pkce: { readonly enforce: boolean; readonly codeChallengeMethodsSupported: readonly string[] };
}

/** Milliseconds. */
export interface SessionsConfig {
  readonly cookieName: string;
  readonly absoluteLifetime: number;
  /** 0 means until absoluteLifetime. */
  readonly validIfNotUsedFor: number;
  readonly rememberMeCheckedByDefault: boolean;
  readonly ssoSharedWithDefault: 'none' | 'all';
}

/** Milliseconds; 0 means never for refresh tokens. */
export interface ExpiryConfig {
  readonly signingKeys: number;
  readonly idTokens: number;
  readonly authRequests: number;
  readonly deviceRequests: number;
  readonly refreshTokens: RefreshTokenPolicy;
}

export interface RefreshTokenPolicy {
  readonly disableRotation: boolean;
  readonly reuseInterval: number;
  readonly validIfNotUsedFor: number;
  readonly absoluteLifetime: number;
}

export interface SignerConfig {
  readonly algorithm: SignatureAlgorithm;
  readonly keysRotationPeriodMs: number;
}

export interface LoggerConfig {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly format: 'text' | 'json';
  readonly excludeFields: readonly string[];
}

export interface FrontendConfig {
  readonly issuer: string;
  readonly theme: string;
  /** Empty for none. */
  readonly dir: string;
  readonly logoURL: string;
  readonly extra: Readonly<Record<string, string>>;
}

export interface StaticClient {
  readonly id: string;
  /** Empty for a public client. */
  readonly secret: Secret;
  readonly name: string;
  readonly redirectUris: readonly string[];
  readonly postLogoutRedirectUris: readonly string[];
  readonly public: boolean;
  readonly trustedPeers: readonly string[];
  readonly allowedConnectors: readonly string[];
  /** Clients that its sessions answer too, '*' for all; undefined means sessions.ssoSharedWithDefault. */
  readonly ssoSharedWith: readonly string[] | undefined;
  /** Told of the end of sessions (OpenID Connect Back-Channel Logout 1.0); empty for none. */
  readonly backchannelLogoutUri: string;
  /** `session`: its refresh tokens end with the login session they came from. */
  readonly refreshTokenLifetime: 'standalone' | 'session';
  /** Milliseconds; 0 means as long as those of others. */
  readonly idTokenLifetime: number;
  /** Groups in the tokens of its own client_credentials grant. */
  readonly clientCredentialsGroups: readonly string[];
}

export interface StaticPassword {
  /** Lower case. */
  readonly email: string;
  readonly hash: Secret;
  readonly username: string;
  readonly name: string;
  readonly preferredUsername: string;
  readonly userId: string;
  readonly groups: readonly string[];
  readonly emailVerified: boolean;
}
