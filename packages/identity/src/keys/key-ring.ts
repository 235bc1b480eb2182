/** Owns the keys in use: one shared record in the storage, held in memory, rotated by whichever replica comes first. */
import type { webcrypto } from 'node:crypto';
import { AppError } from '@kfctl/core';
import type { Clock, Logger, RandomBytes } from '@kfctl/core';
import { createJwtSigner, exportPublicJwk, importPublicJwk } from '@kfctl/oidc';
import type { PublicJwk, SignatureAlgorithm, SigningKey, VerificationKey } from '@kfctl/oidc';
import { IDENTITY_ERRORS } from '../errors.ts';
import type { KeysRecord } from '../storage/records.ts';
import type { Storage } from '../storage/storage.ts';
import { generateSigningKey } from './generate-key.ts';
import { firstKeys, isRotationDue, rotateKeys, withSealingKey } from './rotation.ts';
import type { RotationPolicy } from './rotation.ts';
import { createSealer } from './sealer.ts';
import type { Sealer } from './sealer.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createPrivateKey } = process.getBuiltinModule('node:crypto');

/** The name of the one record, as in Dex. */
const KEYS_ID = 'openid-connect-keys';
/** Asked about a key it does not know, a replica looks at the storage, at most this often. */
const LOOKUP_INTERVAL_MS = 1000;

export interface KeyPolicy extends RotationPolicy {
  readonly algorithm: SignatureAlgorithm;
}

export interface KeyRingDeps {
  readonly storage: Storage;
  readonly clock: Clock;
  readonly random: RandomBytes;
  readonly log: Logger;
  readonly policy: () => KeyPolicy;
}

export interface KeySet {
  readonly signingKey: SigningKey;
  /** Signs claims that are JSON already. */
  readonly sign: (json: string) => string;
  /** The current key and the retired ones whose tokens may still be around. */
  readonly verificationKeys: readonly VerificationKey[];
  readonly jwks: readonly PublicJwk[];
  readonly sealer: Sealer;
}

export interface KeyRing {
  current(): KeySet;
  /** Looks for a key that another replica may have made; cheap to call with ids an attacker invents. */
  ensureKnown(kid: string | undefined): Promise<void>;
  /** Reads the storage and rotates when due; to be called every half minute or so. */
  tick(): Promise<void>;
}

/** Loads the keys, or makes the first ones when the storage holds none. */
export async function openKeyRing(deps: KeyRingDeps): Promise<KeyRing> {
  const { clock } = deps;
  let loaded = unpack(await loadOrCreate(deps), deps);
  let lookedAt = clock.now();
  const adopt = (record: KeysRecord): void => {
    if (record !== loaded.record) loaded = unpack(record, deps);
  };
  return {
    current: () => loaded.keys,
    ensureKnown: async (kid) => {
      if (kid === undefined || loaded.keys.jwks.some((jwk) => jwk.kid === kid)) return;
      if (clock.now() - lookedAt < LOOKUP_INTERVAL_MS) return;
      lookedAt = clock.now();
      adopt(await readKeys(deps));
    },
    tick: async () => {
      const record = await readKeys(deps);
      adopt(isRotationDue(record, clock.now()) ? await rotate(deps) : record);
    },
  };
}

async function loadOrCreate(deps: KeyRingDeps): Promise<KeysRecord> {
  const found = await deps.storage.get('keys', KEYS_ID);
  if (found === undefined) await createFirst(deps);
  else if (found.sealingKeys.length === 0) await addSealingKey(deps);
  else return found;
  return await readKeys(deps);
}

async function createFirst(deps: KeyRingDeps): Promise<void> {
  const policy = deps.policy();
  const newKey = await generateSigningKey(policy.algorithm, deps.random);
  const record = firstKeys({ newKey, nowMs: deps.clock.now(), policy, random: deps.random });
  // Another replica may have been faster: then its keys are the keys.
  if (await deps.storage.create('keys', KEYS_ID, record)) deps.log.info('signing key made', { kid: newKey['kid'] });
}

async function addSealingKey({ storage, clock, random, policy }: KeyRingDeps): Promise<void> {
  await storage.update('keys', KEYS_ID, (record) =>
    withSealingKey(record, { nowMs: clock.now(), policy: policy(), random }),
  );
}

async function rotate(deps: KeyRingDeps): Promise<KeysRecord> {
  const policy = deps.policy();
  const newKey = await generateSigningKey(policy.algorithm, deps.random);
  const nowMs = deps.clock.now();
  const written = await deps.storage.update('keys', KEYS_ID, (record) =>
    isRotationDue(record, nowMs) ? rotateKeys(record, { newKey, nowMs, policy, random: deps.random }) : undefined,
  );
  if (written !== undefined) deps.log.info('signing key rotated', { kid: newKey['kid'] });
  return written ?? (await readKeys(deps));
}

async function readKeys({ storage }: KeyRingDeps): Promise<KeysRecord> {
  const record = await storage.get('keys', KEYS_ID);
  if (record !== undefined) return record;
  throw new AppError(IDENTITY_ERRORS.keysMissing, 'the signing keys have gone from the storage', {
    hint: 'Restart the process to make new ones; everybody has to log in again.',
  });
}

function unpack(
  record: KeysRecord,
  { clock, random }: KeyRingDeps,
): { readonly record: KeysRecord; readonly keys: KeySet } {
  const key = createPrivateKey({ key: record.signingKey as webcrypto.JsonWebKey, format: 'jwk' });
  const jwk = exportPublicJwk(key, String(record.signingKey['kid']));
  const signingKey = { kid: jwk.kid, alg: jwk.alg, key };
  const retired = record.verificationKeys
    .filter((old) => old.expiresAt > clock.now())
    .flatMap((old) => importPublicJwk(old.publicKey) ?? []);
  const current = importPublicJwk(jwk);
  return {
    record,
    keys: {
      signingKey,
      sign: createJwtSigner(signingKey),
      verificationKeys: current === undefined ? retired : [current, ...retired],
      jwks: [jwk, ...retired.map((old) => exportPublicJwk(old.key, old.kid))],
      sealer: createSealer(record.sealingKeys, random),
    },
  };
}
