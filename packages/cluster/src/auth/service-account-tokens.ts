/** Owns tokens of service accounts: signing (ES256), verification, the public key set. */
import { createHash, createPrivateKey, createPublicKey, randomUUID, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { UserInfo } from '../registry/request-context.ts';
import { asArray, asObject, asString, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';

export interface BoundObject {
  readonly kind: 'Pod' | 'Secret' | 'Node';
  readonly name: string;
  readonly uid: string;
}

export interface TokenClaims {
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly serviceAccountUid: string;
  readonly audiences: readonly string[];
  readonly expirationSeconds: number;
  readonly bound?: BoundObject;
}

export interface IssuedToken {
  readonly token: string;
  readonly expiresAt: Date;
}

/** Whether something that a token is bound to still exists with that uid. */
export type LivenessCheck = (
  resource: 'serviceaccounts' | 'pods' | 'secrets' | 'nodes',
  place: { readonly namespace: string; readonly name: string; readonly uid: string },
) => boolean;

export interface TokenIssuer {
  readonly issuer: string;
  issue(claims: TokenClaims): IssuedToken;
  /** The user of a token for one of the audiences; undefined when anything is wrong with it. */
  authenticate(
    token: string,
    audiences: readonly string[],
  ): { readonly user: UserInfo; readonly audiences: readonly string[] } | undefined;
  /** JSON Web Key Set. */
  keySet(): JsonObject;
}

export interface TokenIssuerOptions {
  readonly issuer: string;
  /** PEM, EC P-256. */
  readonly key: string;
  readonly isAlive: LivenessCheck;
  readonly nowMs: () => number;
}

const MAX_TOKEN_LENGTH = 8192;
const LEEWAY_SECONDS = 10;

export function createTokenIssuer(options: TokenIssuerOptions): TokenIssuer {
  const privateKey = createPrivateKey(options.key);
  const publicKey = createPublicKey(privateKey);
  const keyId = createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('base64url');
  const header = encode({ alg: 'ES256', kid: keyId });
  return {
    issuer: options.issuer,
    issue(claims) {
      const now = Math.floor(options.nowMs() / 1000);
      const expires = now + claims.expirationSeconds;
      const body = `${header}.${encode(payloadOf(claims, { issuer: options.issuer, now, expires }))}`;
      const signature = sign('sha256', Buffer.from(body), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      return { token: `${body}.${signature.toString('base64url')}`, expiresAt: new Date(expires * 1000) };
    },
    authenticate(token, audiences) {
      const payload = readVerified(token, publicKey);
      return payload === undefined ? undefined : judge(payload, audiences, options);
    },
    keySet: () => ({ keys: [{ use: 'sig', alg: 'ES256', kid: keyId, ...publicKey.export({ format: 'jwk' }) }] }),
  };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function payloadOf(
  claims: TokenClaims,
  times: { readonly issuer: string; readonly now: number; readonly expires: number },
): JsonObject {
  const { namespace, serviceAccount, serviceAccountUid, audiences, bound } = claims;
  return {
    aud: audiences,
    exp: times.expires,
    iat: times.now,
    nbf: times.now,
    iss: times.issuer,
    jti: randomUUID(),
    sub: `system:serviceaccount:${namespace}:${serviceAccount}`,
    'kubernetes.io': {
      namespace,
      serviceaccount: { name: serviceAccount, uid: serviceAccountUid },
      ...(bound === undefined ? {} : { [bound.kind.toLowerCase()]: { name: bound.name, uid: bound.uid } }),
    },
  };
}

/** The payload of a token whose signature is good; the algorithm is ours, whatever the header says. */
function readVerified(token: string, key: KeyObject): JsonObject | undefined {
  if (token.length > MAX_TOKEN_LENGTH) return undefined;
  const parts = token.split('.');
  const [header = '', payload = '', signature = ''] = parts;
  if (parts.length !== 3) return undefined;
  try {
    if (valueAt(JSON.parse(Buffer.from(header, 'base64url').toString()), 'alg') !== 'ES256') return undefined;
    const good = verify(
      'sha256',
      Buffer.from(`${header}.${payload}`),
      { key, dsaEncoding: 'ieee-p1363' },
      Buffer.from(signature, 'base64url'),
    );
    return good ? asObject(JSON.parse(Buffer.from(payload, 'base64url').toString())) : undefined;
  } catch {
    return undefined;
  }
}

const BOUND = { pod: 'pods', secret: 'secrets', node: 'nodes' } as const;

function judge(
  payload: JsonObject,
  wanted: readonly string[],
  options: TokenIssuerOptions,
): ReturnType<TokenIssuer['authenticate']> {
  const now = options.nowMs() / 1000;
  const { exp, nbf, iss } = payload;
  if (iss !== options.issuer || typeof exp !== 'number' || exp < now) return undefined;
  if (typeof nbf !== 'number' || nbf > now + LEEWAY_SECONDS) return undefined;
  const audiences = asArray(payload['aud'])
    .map(asString)
    .filter((audience) => wanted.includes(audience));
  if (audiences.length === 0) return undefined;
  const own = asObject(payload['kubernetes.io']);
  const namespace = asString(own['namespace']);
  const place = (field: string): { namespace: string; name: string; uid: string } => ({
    namespace: field === 'node' ? '' : namespace,
    name: asString(valueAt(own, field, 'name')),
    uid: asString(valueAt(own, field, 'uid')),
  });
  if (!options.isAlive('serviceaccounts', place('serviceaccount'))) return undefined;
  for (const [field, resource] of Object.entries(BOUND)) {
    if (own[field] !== undefined && !options.isAlive(resource, place(field))) return undefined;
  }
  return { user: serviceAccountUser(place('serviceaccount'), asString(payload['jti']), own), audiences };
}

function serviceAccountUser(
  account: { readonly namespace: string; readonly name: string; readonly uid: string },
  id: string,
  own: JsonObject,
): UserInfo {
  const { namespace, name, uid } = account;
  const pod = asObject(own['pod']);
  return {
    name: `system:serviceaccount:${namespace}:${name}`,
    uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
    extra: {
      'authentication.kubernetes.io/credential-id': [`JTI=${id}`],
      ...(own['pod'] === undefined
        ? {}
        : {
            'authentication.kubernetes.io/pod-name': [asString(pod['name'])],
            'authentication.kubernetes.io/pod-uid': [asString(pod['uid'])],
          }),
    },
  };
}
