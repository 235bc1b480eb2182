/** Owns the translation between our records and the objects of dex.coreos.com/v1: one table, a row a field. */
import type { webcrypto } from 'node:crypto';
import { encodeSubject } from '@kfctl/oidc';
import type { RecordKind } from '../records.ts';
import {
  each,
  eachValue,
  flag,
  kept,
  list,
  nested,
  number,
  plain,
  readFields,
  text,
  textBytes,
  time,
  trueFlag,
  writeFields,
} from './field-conversions.ts';
import type { FieldCodecs, Json } from './field-conversions.ts';
import { nameOfConnector, nameOfId, nameOfSubject } from './object-names.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createPublicKey } = process.getBuiltinModule('node:crypto');

interface Codec {
  readonly resourceKind: string;
  readonly plural: string;
  readonly name: (id: string) => string;
  readonly id: (name: string, fields: Json) => string;
  readonly fields: FieldCodecs;
}

const claims = nested({
  userId: ['userID', text],
  username: ['username', text],
  preferredUsername: ['preferredUsername', text],
  email: ['email', text],
  emailVerified: ['emailVerified', flag],
  groups: ['groups', list],
});

const LOGIN_FIELDS = {
  clientId: ['clientID', text],
  scopes: ['scopes', list],
  redirectUri: ['redirectURI', text],
  nonce: ['nonce', text],
  claims: ['claims', claims],
  connectorId: ['connectorID', text],
  connectorData: ['connectorData', text],
  codeChallenge: ['code_challenge', text],
  codeChallengeMethod: ['code_challenge_method', text],
  authTimeMs: ['authTime', time],
  // Ours, as every `sid`.
  sid: ['sid', text],
  expiresAt: ['expiry', time],
} as const;

const byName = { name: (id: string): string => id, id: (name: string): string => name };

export const CODECS: Readonly<Record<RecordKind, Codec>> = {
  authRequest: {
    resourceKind: 'AuthRequest',
    plural: 'authrequests',
    ...byName,
    fields: {
      ...LOGIN_FIELDS,
      responseTypes: ['responseTypes', list],
      state: ['state', text],
      forceApprovalPrompt: ['forceApprovalPrompt', flag],
      hmacKey: ['hmac_key', text],
    },
  },
  authCode: { resourceKind: 'AuthCode', plural: 'authcodes', ...byName, fields: LOGIN_FIELDS },
  refreshToken: {
    resourceKind: 'RefreshToken',
    plural: 'refreshtokens',
    ...byName,
    fields: {
      clientId: ['clientID', text],
      scopes: ['scopes', list],
      nonce: ['nonce', text],
      token: ['token', text],
      obsoleteToken: ['obsoleteToken', text],
      claims: ['claims', claims],
      connectorId: ['connectorID', text],
      connectorData: ['connectorData', text],
      createdAt: ['CreatedAt', time],
      lastUsedAt: ['LastUsed', time],
      sid: ['sid', text],
      sessionEndsAt: ['sessionEnd', time],
    },
  },
  offlineSession: {
    resourceKind: 'OfflineSessions',
    plural: 'offlinesessionses',
    name: nameOfSubject,
    id: (_name, fields) =>
      encodeSubject({ userId: String(fields['userID'] ?? ''), connectorId: String(fields['connID'] ?? '') }),
    fields: {
      userId: ['userID', text],
      connectorId: ['connID', text],
      connectorData: ['connectorData', text],
      refresh: [
        'refresh',
        eachValue(
          nested({
            id: ['ID', text],
            clientId: ['ClientID', text],
            createdAt: ['CreatedAt', time],
            lastUsedAt: ['LastUsed', time],
          }),
        ),
      ],
    },
  },
  password: {
    resourceKind: 'Password',
    plural: 'passwords',
    name: nameOfId,
    id: (_name, fields) => String(fields['email'] ?? '').toLowerCase(),
    fields: {
      email: ['email', text],
      hash: ['hash', textBytes],
      username: ['username', text],
      name: ['name', text],
      preferredUsername: ['preferredUsername', text],
      userId: ['userID', text],
      groups: ['groups', list],
      emailVerified: ['emailVerified', trueFlag],
    },
  },
  client: {
    resourceKind: 'OAuth2Client',
    plural: 'oauth2clients',
    name: nameOfId,
    id: (_name, fields) => String(fields['id'] ?? ''),
    fields: {
      id: ['id', text],
      secret: ['secret', text],
      name: ['name', text],
      redirectUris: ['redirectURIs', list],
      trustedPeers: ['trustedPeers', list],
      public: ['public', flag],
      logoUrl: ['logoURL', text],
      allowedConnectors: ['allowedConnectors', list],
      ssoSharedWith: ['ssoSharedWith', kept],
      backchannelLogoutUri: ['backchannelLogoutURI', text],
      postLogoutRedirectUris: ['postLogoutRedirectURIs', list],
      refreshTokenLifetime: ['refreshTokenLifetime', text],
    },
  },
  connector: {
    resourceKind: 'Connector',
    plural: 'connectors',
    name: nameOfConnector,
    id: (name, fields) => String(fields['id'] ?? name),
    fields: {
      id: ['id', text],
      type: ['type', text],
      name: ['name', text],
      resourceVersion: ['resourceVersion', text],
      // Go's []byte is base64 already.
      config: ['config', text],
      grantTypes: ['grantTypes', list],
    },
  },
  keys: {
    resourceKind: 'SigningKey',
    plural: 'signingkeies',
    ...byName,
    fields: {
      signingKey: ['signingKey', plain({})],
      verificationKeys: [
        'verificationKeys',
        each(nested({ publicKey: ['publicKey', plain({})], expiresAt: ['expiry', time] })),
      ],
      nextRotationAt: ['nextRotation', time],
      // Ours: Dex ignores it, and drops it when it rotates, after which a new one is made.
      sealingKeys: ['sealingKeys', each(nested({ id: ['id', text], key: ['key', text], expiresAt: ['expiry', time] }))],
    },
  },
  deviceRequest: {
    resourceKind: 'DeviceRequest',
    plural: 'devicerequests',
    name: (id) => id.toLowerCase(),
    id: (name) => name.toUpperCase(),
    fields: {
      userCode: ['user_code', text],
      deviceCode: ['device_code', text],
      clientId: ['client_id', text],
      scopes: ['scopes', list],
      expiresAt: ['expiry', time],
    },
  },
  deviceToken: {
    resourceKind: 'DeviceToken',
    plural: 'devicetokens',
    ...byName,
    fields: {
      status: ['status', text],
      token: ['token', text],
      lastRequestAt: ['last_request', time],
      pollIntervalSeconds: ['poll_interval', number],
      codeChallenge: ['code_challenge', text],
      codeChallengeMethod: ['code_challenge_method', text],
      expiresAt: ['expiry', time],
    },
  },
  // Ours: Dex has no such kinds.
  spentProof: { resourceKind: 'SpentProof', plural: 'spentproofs', ...byName, fields: { expiresAt: ['expiry', time] } },
  loginSession: {
    resourceKind: 'LoginSession',
    plural: 'loginsessions',
    ...byName,
    fields: {
      sid: ['sid', text],
      logoutHint: ['logoutHint', text],
      address: ['ipAddress', text],
      userAgent: ['userAgent', text],
      claims: ['claims', claims],
      connectorId: ['connectorID', text],
      connectorData: ['connectorData', text],
      groups: ['groups', flag],
      offline: ['offline', flag],
      persistent: ['persistent', flag],
      clients: ['clients', list],
      authTimeMs: ['authTime', time],
      issuedAt: ['issuedAt', time],
      lastUsedAt: ['lastUsed', time],
      renewed: ['renewed', flag],
      twin: ['twin', text],
      expiresAt: ['expiry', time],
    },
  },
  logoutNotice: {
    resourceKind: 'LogoutNotice',
    plural: 'logoutnotices',
    ...byName,
    fields: {
      clientId: ['clientID', text],
      subject: ['subject', text],
      sid: ['sid', text],
      attempts: ['attempts', number],
      nextAt: ['next', time],
      expiresAt: ['expiry', time],
    },
  },
};

export function encodeRecord(kind: RecordKind, record: object): Json {
  const encoded = writeFields(record as Json, CODECS[kind].fields);
  return kind === 'keys' ? { ...encoded, signingKeyPub: publicHalf(encoded['signingKey']) } : encoded;
}

export function decodeRecord(kind: RecordKind, object: object): Json {
  return readFields(object as Json, CODECS[kind].fields);
}

// Dex reads the public half from its own field.
function publicHalf(signingKey: unknown): Json {
  const jwk = signingKey as webcrypto.JsonWebKey & { readonly kid?: string; readonly alg?: string };
  const exported = createPublicKey({ key: jwk, format: 'jwk' }).export({ format: 'jwk' });
  return { ...exported, use: 'sig', kid: jwk.kid, alg: jwk.alg };
}
