/**
 * Owns the memory of a login on its way through the identity provider. Nothing is stored on the server, so nobody can fill it:
 *
 *   cookie  __Host-as_flow_<id> = <secret>   in the browser that began, one a tab, gone after its callback
 *   state   <id>.<sealed>              through the provider; holds time, PKCE verifier and return path, opens only with that cookie
 *   nonce   hash of id and secret      in the request and in the ID token
 */
import { randomToken } from '@kfctl/core';
import type { RandomBytes, Secret } from '@kfctl/core';
import { createPkcePair } from '../pkce/pkce.ts';
import { safeReturnPath } from '../redirect/return-path.ts';
import { createSealer } from './sealer.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createHash } = process.getBuiltinModule('node:crypto');

const FLOW_COOKIE = 'as_flow_';

/**
 * What the names of flow cookies begin with. Over https with `__Host-`: then no sibling host can plant the cookie of a login that an
 * attacker began, and finish that login in somebody else's browser (RFC 6265bis §4.1.3.2).
 */
export function flowCookiePrefix(secure: boolean): string {
  return secure ? `__Host-${FLOW_COOKIE}` : FLOW_COOKIE;
}

/** Whether a cookie is a login flow's, in either form: none of them is an upstream's business. */
export function isFlowCookie(name: string): boolean {
  return name.startsWith(FLOW_COOKIE) || name.startsWith(`__Host-${FLOW_COOKIE}`);
}

export interface LoginFlow {
  readonly state: string;
  readonly nonce: string;
  /** S256. */
  readonly codeChallenge: string;
  readonly cookie: { readonly name: string; readonly value: string };
}

export type OpenedFlow =
  | { readonly kind: 'open'; readonly returnTo: string; readonly nonce: string; readonly codeVerifier: string }
  /** Ours and this browser's, but too old to go on with. */
  | { readonly kind: 'expired'; readonly returnTo: string }
  | { readonly kind: 'foreign' };

export interface LoginFlows {
  /** `returnTo` that is not safe becomes `/`. */
  begin(returnTo: string, nowMs: number): LoginFlow;
  /** The name of the cookie that a state belongs to; undefined when it is no state of ours. */
  cookieNameOf(state: string): string | undefined;
  open(state: string, cookieValue: string, nowMs: number): OpenedFlow;
}

export interface LoginFlowOptions {
  readonly secrets: readonly Secret[];
  readonly lifetimeMs: number;
  readonly random: RandomBytes;
  /** Cookies are for https alone. */
  readonly secure: boolean;
}

const STATE = /^([0-9a-z]{8}[\w-]{12})\.([\w-]+)$/;
const COOKIE_VALUE = /^[\w-]{22}$/;
const MAX_STATE_CHARACTERS = 4_096;
/** The clock of the replica that began may be ahead of ours. */
const MAX_CLOCK_SKEW_MS = 60_000;
const FOREIGN = { kind: 'foreign' } as const;

/** Creates and opens login flows under one set of keys. */
export function createLoginFlows({ secrets, lifetimeMs, random, secure }: LoginFlowOptions): LoginFlows {
  const prefix = flowCookiePrefix(secure);
  const sealer = createSealer({ secrets, purpose: 'login flow', random });
  return {
    begin: (returnTo, nowMs) => {
      const id = `${timeText(nowMs)}${randomToken(9, random)}`;
      const secret = randomToken(16, random);
      const pkce = createPkcePair(random);
      const content = [nowMs, pkce.verifier, safeReturnPath(returnTo) ?? '/'];
      return {
        state: `${id}.${sealer.seal(JSON.stringify(content), placeOf(id, secret))}`,
        nonce: nonceOf(id, secret),
        codeChallenge: pkce.challenge,
        cookie: { name: prefix + id, value: secret },
      };
    },
    cookieNameOf: (state) => {
      const id = splitState(state)?.id;
      return id === undefined ? undefined : prefix + id;
    },
    open: (state, cookieValue, nowMs) => {
      const parts = splitState(state);
      if (parts === undefined || !COOKIE_VALUE.test(cookieValue)) return FOREIGN;
      const text = sealer.open(parts.sealed, placeOf(parts.id, cookieValue));
      if (text === undefined) return FOREIGN;
      const [begunAt, codeVerifier, path] = JSON.parse(text) as [number, string, string];
      const returnTo = safeReturnPath(path) ?? '/';
      const ageMs = nowMs - begunAt;
      if (ageMs < -MAX_CLOCK_SKEW_MS || ageMs > lifetimeMs) return { kind: 'expired', returnTo };
      return { kind: 'open', returnTo, nonce: nonceOf(parts.id, cookieValue), codeVerifier };
    },
  };
}

/**
 * The flow cookies to drop so that one more fits: those that began longest ago. Their names sort by time.
 * A browser that never finishes a login must not carry ever more cookies until a server refuses its requests.
 */
export function surplusFlowCookies(names: readonly string[], max: number): readonly string[] {
  return names.length < max ? [] : names.toSorted().slice(0, names.length - max + 1);
}

function splitState(state: string): { readonly id: string; readonly sealed: string } | undefined {
  const [, id, sealed] = (state.length > MAX_STATE_CHARACTERS ? undefined : STATE.exec(state)) ?? [];
  return id === undefined || sealed === undefined ? undefined : { id, sealed };
}

/** Milliseconds in base 36, eight characters until the year 2059, and sorting as time does. */
function timeText(nowMs: number): string {
  return Math.max(0, Math.floor(nowMs)).toString(36).padStart(8, '0').slice(-8);
}

function placeOf(id: string, secret: string): string {
  return `${id} ${secret}`;
}

function nonceOf(id: string, secret: string): string {
  return createHash('sha256')
    .update(`nonce ${placeOf(id, secret)}`)
    .digest('base64url');
}
