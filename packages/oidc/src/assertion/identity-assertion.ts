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
const { createHmac, createSecretKey, hkdfSync, timingSafeEqual } = process.getBuiltinModule('node:crypto');

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
  const keys = secrets.map((secret) =>
    createSecretKey(Buffer.from(hkdfSync('sha256', secret.reveal(), 'kfctl', 'identity assertion', 32))),
  );
  const [current] = keys;
  if (current === undefined) throw new TypeError('assertions need a key');
  const macOf = (key: typeof current, time: string, request: AssertedRequest): string =>
    createHmac('sha256', key)
      .update(`v1\n${time}\n${request.method}\n${request.path}\n${request.userId}\n${request.groups}`, 'latin1')
      .digest('base64url');
  return {
    assert: (request, nowMs) => {
      const time = String(Math.floor(nowMs / 1000));
      return `v1.${time}.${macOf(current, time, request)}`;
    },
    isGenuine: (assertion, request, nowMs) => {
      const [, time, mac] = (typeof assertion === 'string' && FORM.exec(assertion)) || [];
      if (time === undefined || mac === undefined) return false;
      const age = nowMs / 1000 - Number(time);
      if (age > MAX_AGE_SECONDS || age < -MAX_AHEAD_SECONDS) return false;
      return keys.some((key) => timingSafeEqual(Buffer.from(mac), Buffer.from(macOf(key, time, request))));
    },
  };
}

/** Keys from a setting: one, or several separated by commas; undefined when one is too short to be a key. */
export function parseAssertionKeys(text: string): readonly Secret[] | undefined {
  const keys = text.split(',').map((key) => key.trim());
  return keys.every((key) => key.length >= MIN_KEY_CHARACTERS) ? keys.map((key) => new Secret(key)) : undefined;
}
