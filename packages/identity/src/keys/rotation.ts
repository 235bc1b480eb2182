/** Owns when keys change and what is kept of the old ones; pure. */
import type { webcrypto } from 'node:crypto';
import { exportPublicJwk } from '@kfctl/oidc';
import type { RandomBytes } from '@kfctl/core';
import type { Jwk, KeysRecord, SealingKey } from '../storage/records.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createPublicKey } = process.getBuiltinModule('node:crypto');

/** Milliseconds. */
export interface RotationPolicy {
  readonly rotationPeriodMs: number;
  /** An old public key stays published for as long as tokens live that it signed. */
  readonly tokenLifetimeMs: number;
  /** A sealing key stays for as long as a login page may stay open. */
  readonly requestLifetimeMs: number;
}

export interface RotationInput {
  readonly newKey: Jwk;
  readonly nowMs: number;
  readonly policy: RotationPolicy;
  readonly random: RandomBytes;
}

export function isRotationDue(record: KeysRecord, nowMs: number): boolean {
  return nowMs >= record.nextRotationAt;
}

export function firstKeys({ newKey, nowMs, policy, random }: RotationInput): KeysRecord {
  return {
    signingKey: newKey,
    verificationKeys: [],
    nextRotationAt: nowMs + policy.rotationPeriodMs,
    sealingKeys: [newSealingKey(nowMs, policy, random)],
  };
}

/** The new key signs from now on; the old one verifies until the last token it may have signed is past. */
export function rotateKeys(record: KeysRecord, { newKey, nowMs, policy, random }: RotationInput): KeysRecord {
  const retired = { publicKey: publicHalf(record.signingKey), expiresAt: nowMs + policy.tokenLifetimeMs };
  return {
    signingKey: newKey,
    verificationKeys: [retired, ...record.verificationKeys.filter((key) => key.expiresAt > nowMs)],
    nextRotationAt: nowMs + policy.rotationPeriodMs,
    sealingKeys: [newSealingKey(nowMs, policy, random), ...record.sealingKeys.filter((key) => key.expiresAt > nowMs)],
  };
}

/** An installation that Dex made has no sealing key yet. */
export function withSealingKey(record: KeysRecord, input: Omit<RotationInput, 'newKey'>): KeysRecord | undefined {
  if (record.sealingKeys.length > 0) return undefined;
  return { ...record, sealingKeys: [newSealingKey(input.nowMs, input.policy, input.random)] };
}

function newSealingKey(nowMs: number, policy: RotationPolicy, random: RandomBytes): SealingKey {
  return {
    id: random(4).toString('hex'),
    key: random(32).toString('base64'),
    expiresAt: nowMs + policy.rotationPeriodMs + policy.requestLifetimeMs,
  };
}

function publicHalf(signingKey: Jwk): Jwk {
  const key = createPublicKey({ key: signingKey as webcrypto.JsonWebKey, format: 'jwk' });
  return { ...exportPublicJwk(key, String(signingKey['kid'])) };
}
