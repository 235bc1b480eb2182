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
  /** The same for one person again and again: what stays the same is put together once. */
  assertFor(person: Pick<AssertedRequest, 'userId' | 'groups'>): AssertRequest;
  /** Whether a header's value was made for this request with one of the keys, and lately. */
  isGenuine(assertion: unknown, request: AssertedRequest, nowMs: number): boolean;
}

export type AssertRequest = (request: Pick<AssertedRequest, 'method' | 'path'>, nowMs: number) => string;

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
  const stampAt = createStamps();
  const assertFor: Assertions['assertFor'] = (person) => {
    const rest = restOf(person);
    return ({ method, path }, nowMs) => {
      const { head, prefix } = stampAt(nowMs);
      return prefix + current(head, `${method}\n${path}${rest}`);
    };
  };
  return {
    assert: (request, nowMs) => assertFor(request)(request, nowMs),
    assertFor,
    isGenuine: (assertion, request, nowMs) => {
      const [, time, mac] = (typeof assertion === 'string' && FORM.exec(assertion)) || [];
      if (time === undefined || mac === undefined) return false;
      const age = nowMs / 1000 - Number(time);
      if (age > MAX_AGE_SECONDS || age < -MAX_AHEAD_SECONDS) return false;
      const rest = `${request.method}\n${request.path}${restOf(request)}`;
      return macs.some((macOf) => timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(headOf(time), rest))));
    },
  };
}

/** The MAC's text: what is of the time, then method and path, then what is of the person. */
function headOf(time: string): string {
  return `v1\n${time}\n`;
}

function restOf({ userId, groups }: Pick<AssertedRequest, 'userId' | 'groups'>): string {
  return `\n${userId}\n${groups}`;
}

interface Stamp {
  readonly head: string;
  /** Of the header's value. */
  readonly prefix: string;
}

/** What is the same for all requests of a second, written out once. */
function createStamps(): (nowMs: number) => Stamp {
  let second = Number.NaN;
  let stamp: Stamp = { head: '', prefix: '' };
  return (nowMs) => {
    const now = Math.floor(nowMs / 1000);
    if (now !== second) {
      second = now;
      stamp = { head: headOf(String(now)), prefix: `v1.${now}.` };
    }
    return stamp;
  };
}

const BLOCK_BYTES = 64;
const DIGEST_BYTES = 32;
const SHORT_CHARACTERS = 4_096;

/**
 * HMAC-SHA-256 (RFC 2104) of texts of one byte a character, as base64url, by two one-shot hashes over buffers that are kept: an object of
 * node:crypto's for each request costs several times the hashing, and this is done for every request to the platform. The head of the
 * text stays in its place until another one comes.
 */
function createMac(key: Buffer): (head: string, rest: string) => string {
  const inner = padded(key, 0x36, SHORT_CHARACTERS);
  const outer = padded(key, 0x5c, DIGEST_BYTES);
  let written = '';
  return (head, rest) => {
    const start = BLOCK_BYTES + head.length;
    const isShort = head.length + rest.length <= SHORT_CHARACTERS;
    const room = isShort ? inner : padded(key, 0x36, head.length + rest.length);
    if (!isShort || head !== written) room.write(head, BLOCK_BYTES, 'latin1');
    if (isShort) written = head;
    room.write(rest, start, 'latin1');
    outer.write(hash('sha256', room.subarray(0, start + rest.length), 'latin1'), BLOCK_BYTES, 'latin1');
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
