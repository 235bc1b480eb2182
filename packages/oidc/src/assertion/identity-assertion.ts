/**
 * Owns the proof that travels beside the identity headers: whoever holds the key has judged exactly this request to be exactly this
 * person's, just now. A pod that can reach a backend can write `kubeflow-userid`, but not this; and what a workload is told about its
 * visitors is of no use to it elsewhere, because the request's method and path are bound in.
 *
 *   kubeflow-assertion: v1.<seconds since the epoch>.<base64url of HMAC-SHA-256>
 *
 * The MAC covers the version, the time, method, path, user and groups, one line each; no line can hold a line break (RFC 9110 §5.5).
 */
import { Secret } from '@kfctl/core';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { hash, hkdfSync, timingSafeEqual } = process.getBuiltinModule('node:crypto');

export const ASSERTION_HEADER = 'kubeflow-assertion';

/** What an assertion is about: the request as the backend sees it, header values as they stand in it ('' where there is none). */
export interface AssertedRequest {
  readonly method: string;
  /** As sent, without the query. */
  readonly path: string;
  readonly userId: string;
  readonly groups: string;
}

export interface Assertions {
  /** The header's value; `nowMs` in milliseconds since the epoch. */
  assert(request: AssertedRequest, nowMs: number): string;
  /** Whether a header's value was made for this request with one of the keys, and lately. */
  isGenuine(assertion: unknown, request: AssertedRequest, nowMs: number): boolean;
}

/** A request is on its way for moments; the rest is for clocks of machines that differ. */
const MAX_AGE_SECONDS = 120;
const MAX_AHEAD_SECONDS = 60;
const FORM = /^v1\.(\d{10,12})\.([\w-]{43})$/;
const MIN_KEY_CHARACTERS = 32;

/** The first of the keys signs, all are believed. Throws when there is none. */
export function createAssertions(secrets: readonly Secret[]): Assertions {
  const macs = secrets.map((secret) =>
    createMac(Buffer.from(hkdfSync('sha256', secret.reveal(), 'kfctl', 'identity assertion', 32))),
  );
  const [current] = macs;
  if (current === undefined) throw new TypeError('assertions need a key');
  const textOf = (time: string, { method, path, userId, groups }: AssertedRequest): string =>
    `v1\n${time}\n${method}\n${path}\n${userId}\n${groups}`;
  return {
    assert: (request, nowMs) => {
      const time = String(Math.floor(nowMs / 1000));
      return `v1.${time}.${current(textOf(time, request))}`;
    },
    isGenuine: (assertion, request, nowMs) => {
      const [, time, mac] = (typeof assertion === 'string' && FORM.exec(assertion)) || [];
      if (time === undefined || mac === undefined) return false;
      const age = nowMs / 1000 - Number(time);
      if (age > MAX_AGE_SECONDS || age < -MAX_AHEAD_SECONDS) return false;
      const text = textOf(time, request);
      return macs.some((macOf) => timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(text))));
    },
  };
}

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const SHORT_CHARACTERS = 4_096;

/**
 * HMAC-SHA-256 (RFC 2104) of texts of one byte a character, as base64url, by two one-shot hashes over buffers that are kept: an object of
 * node:crypto's for each request costs several times the hashing, and this is done for every request to the platform.
 */
function createMac(key: Buffer): (text: string) => string {
  const inner = padded(key, 0x36, SHORT_CHARACTERS);
  const outer = padded(key, 0x5c, DIGEST_BYTES);
  return (text) => {
    const room = text.length <= SHORT_CHARACTERS ? inner : padded(key, 0x36, text.length);
    room.write(text, BLOCK_BYTES, 'latin1');
    outer.write(hash('sha256', room.subarray(0, BLOCK_BYTES + text.length), 'latin1'), BLOCK_BYTES, 'latin1');
    return hash('sha256', outer, 'base64url');
  };
}

/** The key, at most a block long, XORed with a byte, and room after it. */
function padded(key: Buffer, byte: number, room: number): Buffer {
  const block = Buffer.alloc(BLOCK_BYTES + room);
  for (let index = 0; index < BLOCK_BYTES; index += 1) block[index] = (key[index] ?? 0) ^ byte;
  return block;
}

/** Keys from a setting: one, or several separated by commas; undefined when one is too short to be a key. */
export function parseAssertionKeys(text: string): readonly Secret[] | undefined {
  const keys = text.split(',').map((key) => key.trim());
  return keys.every((key) => key.length >= MIN_KEY_CHARACTERS) ? keys.map((key) => new Secret(key)) : undefined;
}
