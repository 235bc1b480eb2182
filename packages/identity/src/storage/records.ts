/** Owns what is kept: plain JSON values, times in milliseconds, bytes in base64. The kinds and their meaning are Dex's. */
import type { Identity } from '../connectors/connector.ts';

/** A login that has happened and waits for the person's approval. A login that has not happened is not stored at all. */
export interface AuthRequest {
  readonly clientId: string;
  readonly responseTypes: readonly string[];
  readonly scopes: readonly string[];
  readonly redirectUri: string;
  readonly nonce: string;
  readonly state: string;
  readonly forceApprovalPrompt: boolean;
  readonly claims: Identity;
  readonly connectorId: string;
  readonly connectorData: string;
  readonly codeChallenge: string;
  readonly codeChallengeMethod: string;
  /** Base64; the approval form proves with it that it belongs to the browser that logged in. */
  readonly hmacKey: string;
  readonly authTimeMs: number;
  /** The login session it belongs to; empty or absent for none. */
  readonly sid?: string;
  readonly expiresAt: number;
}

export interface AuthCode {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly redirectUri: string;
  readonly nonce: string;
  readonly claims: Identity;
  readonly connectorId: string;
  readonly connectorData: string;
  readonly codeChallenge: string;
  readonly codeChallengeMethod: string;
  readonly authTimeMs: number;
  readonly sid?: string;
  readonly expiresAt: number;
}

export interface RefreshToken {
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly nonce: string;
  readonly token: string;
  /** The one before, honoured within the reuse interval. */
  readonly obsoleteToken: string;
  readonly claims: Identity;
  readonly connectorId: string;
  readonly connectorData: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
  readonly sid?: string;
  /** When the session ends with which it lives; 0 or absent for a token that lives by itself. */
  readonly sessionEndsAt?: number;
}

export interface RefreshTokenRef {
  readonly id: string;
  readonly clientId: string;
  readonly createdAt: number;
  readonly lastUsedAt: number;
}

/** The refresh tokens of one person through one connector; its id is the `sub` of their tokens. */
export interface OfflineSession {
  readonly userId: string;
  readonly connectorId: string;
  /** The newest token of a client is under the client's id, as in Dex; older ones are under `<client>#<token id>`. */
  readonly refresh: Readonly<Record<string, RefreshTokenRef>>;
  readonly connectorData: string;
}

/** A person of the password database; its id is the e-mail address in lower case. */
export interface PasswordRecord {
  readonly email: string;
  readonly hash: string;
  readonly username: string;
  readonly name: string;
  readonly preferredUsername: string;
  readonly userId: string;
  readonly groups: readonly string[];
  readonly emailVerified: boolean;
}

export interface ClientRecord {
  readonly id: string;
  readonly secret: string;
  readonly name: string;
  readonly redirectUris: readonly string[];
  readonly trustedPeers: readonly string[];
  readonly public: boolean;
  readonly logoUrl: string;
  /** As in the configuration file; absent in records of before. */
  readonly allowedConnectors?: readonly string[];
  readonly ssoSharedWith?: readonly string[];
  readonly backchannelLogoutUri?: string;
  readonly postLogoutRedirectUris?: readonly string[];
  readonly refreshTokenLifetime?: string;
}

/** A connector kept through the management API, beside those of the file. */
export interface ConnectorRecord {
  readonly id: string;
  readonly type: string;
  readonly name: string;
  /** Counts its changes. */
  readonly resourceVersion: string;
  /** Base64 of the JSON of its settings; holds secrets. */
  readonly config: string;
  readonly grantTypes: readonly string[];
}

export type Jwk = Readonly<Record<string, unknown>>;

/** All keys of the provider: one record, changed by compare-and-swap, so that replicas agree. */
export interface KeysRecord {
  /** Private. */
  readonly signingKey: Jwk;
  readonly verificationKeys: readonly { readonly publicKey: Jwk; readonly expiresAt: number }[];
  readonly nextRotationAt: number;
  /** Symmetric keys (base64, 32 bytes) that seal pending authorization requests; the first one is current. */
  readonly sealingKeys: readonly SealingKey[];
}

export interface SealingKey {
  readonly id: string;
  readonly key: string;
  readonly expiresAt: number;
}

/** Its id is the user code. */
export interface DeviceRequest {
  readonly userCode: string;
  readonly deviceCode: string;
  readonly clientId: string;
  readonly scopes: readonly string[];
  readonly expiresAt: number;
}

/** Its id is the device code. */
export interface DeviceToken {
  readonly status: 'pending' | 'complete';
  /** The token response, once there is one. */
  readonly token: string;
  readonly lastRequestAt: number;
  readonly pollIntervalSeconds: number;
  readonly codeChallenge: string;
  readonly codeChallengeMethod: string;
  readonly expiresAt: number;
}

/** Something that proved a login and must not do so again; its id is a hash of it. */
export interface SpentProof {
  readonly expiresAt: number;
}

/** A browser in which somebody has logged in; its id is the hash of the token that the browser holds. */
export interface LoginSession {
  /** What clients call it (claim `sid`); stays when the token is exchanged. Absent in records of before. */
  readonly sid?: string;
  /** The upstream's ID token, where a logout is told to it. */
  readonly logoutHint?: string;
  /** Where the browser came from and what it called itself, when the person logged in. */
  readonly address?: string;
  readonly userAgent?: string;
  readonly claims: Identity;
  readonly connectorId: string;
  readonly connectorData: string;
  /** Whether the connector was asked for groups, and for what a refresh needs. */
  readonly groups: boolean;
  readonly offline: boolean;
  /** The cookie outlives the browser. */
  readonly persistent: boolean;
  /** The clients it has answered. */
  readonly clients: readonly string[];
  readonly authTimeMs: number;
  /** When the token was made, and when it last was used. */
  readonly issuedAt: number;
  readonly lastUsedAt: number;
  /** Another token has taken its place. */
  readonly renewed: boolean;
  /** The record of the token before or after, which ends with this one. */
  readonly twin?: string;
  readonly expiresAt: number;
}

/** A client that is to be told again of the end of a session; its id is random. */
export interface LogoutNotice {
  readonly clientId: string;
  readonly subject: string;
  readonly sid: string;
  readonly attempts: number;
  readonly nextAt: number;
  readonly expiresAt: number;
}

export interface Records {
  readonly authRequest: AuthRequest;
  readonly authCode: AuthCode;
  readonly refreshToken: RefreshToken;
  readonly offlineSession: OfflineSession;
  readonly password: PasswordRecord;
  readonly client: ClientRecord;
  readonly connector: ConnectorRecord;
  readonly keys: KeysRecord;
  readonly deviceRequest: DeviceRequest;
  readonly deviceToken: DeviceToken;
  readonly spentProof: SpentProof;
  readonly loginSession: LoginSession;
  readonly logoutNotice: LogoutNotice;
}

export type RecordKind = keyof Records;

export const RECORD_KINDS: readonly RecordKind[] = [
  'authRequest',
  'authCode',
  'refreshToken',
  'offlineSession',
  'password',
  'client',
  'connector',
  'keys',
  'deviceRequest',
  'deviceToken',
  'spentProof',
  'loginSession',
  'logoutNotice',
];

export const EXPIRING_KINDS: readonly RecordKind[] = [
  'authRequest',
  'authCode',
  'deviceRequest',
  'deviceToken',
  'spentProof',
  'loginSession',
  'logoutNotice',
];

/** The kinds that Dex does not have. */
export const OWN_KINDS: readonly RecordKind[] = ['spentProof', 'loginSession', 'logoutNotice'];

/** When a record may be forgotten, in milliseconds; undefined for those that stay. */
export function expiryOf(record: Records[RecordKind]): number | undefined {
  return 'expiresAt' in record ? record.expiresAt : undefined;
}
