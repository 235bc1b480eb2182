/** Owns the installing user's password: generated when none is given, hashed with bcrypt, never written anywhere. */
import { randomInt } from 'node:crypto';
import { Secret } from '@kfctl/core';

/** Dex's own default for new hashes is 10; 12 is what the platform's documents show. */
const BCRYPT_COST = 12;
// No characters that are read as others: 0 O, 1 l I.
const ALPHABET = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const GENERATED_LENGTH = 20;

export async function hashPassword(password: Secret): Promise<string> {
  const { hash } = await import('@node-rs/bcrypt');
  return hash(password.reveal(), BCRYPT_COST);
}

/** True when the hash is of that password. A hash that is none matches nothing. */
export async function matchesHash(password: Secret, hash: string): Promise<boolean> {
  const { verify } = await import('@node-rs/bcrypt');
  return verify(password.reveal(), hash).catch(() => false);
}

/** A random password of some 116 bits that a person can type. */
export function generatePassword(): Secret {
  const characters = Array.from({ length: GENERATED_LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)] ?? '');
  return new Secret(characters.join(''));
}
