/** Owns telling one client, once, of the end of a session (OpenID Connect Back-Channel Logout 1.0). */
import { describeError, randomToken } from '@kfctl/core';
import type { Clock, RandomBytes } from '@kfctl/core';
import { signJwt } from '@kfctl/oidc';
import type { FindClient } from '../clients/find-client.ts';
import type { UpstreamHttp } from '../connectors/oauth2/upstream-http.ts';
import type { KeyRing } from '../keys/key-ring.ts';

export interface SessionEnd {
  readonly clientId: string;
  /** The `sub` of the person's tokens. */
  readonly subject: string;
  readonly sid: string;
}

export type NoticeOutcome =
  | { readonly kind: 'told' }
  /** The client does not want to be told. */
  | { readonly kind: 'unwanted' }
  /** `final`: it would say the same again. */
  | { readonly kind: 'failed'; readonly reason: string; readonly final: boolean };

export interface NoticeDeps {
  readonly issuer: string;
  readonly findClient: FindClient;
  readonly http: UpstreamHttp;
  readonly keys: KeyRing;
  readonly clock: Clock;
  readonly random: RandomBytes;
}

const LOGOUT_EVENT = 'http://schemas.openid.net/event/backchannel-logout';
/** §2.4: short, because it is used at once. */
const TOKEN_LIFETIME_SECONDS = 120;
/** Of the client's errors those that may pass: timeout, too early, too many requests, and what §2.8 wants of a logout that failed there. */
const PASSING: ReadonlySet<number> = new Set([400, 408, 425, 429]);

/** Does not throw. */
export async function tellClient(deps: NoticeDeps, end: SessionEnd): Promise<NoticeOutcome> {
  try {
    const url = (await deps.findClient(end.clientId))?.backchannelLogoutUri ?? '';
    if (url === '') return { kind: 'unwanted' };
    const form = { logout_token: logoutToken(deps, end) };
    const { status } = await deps.http.send({ url, method: 'POST', form });
    // §2.5, §2.8: 200, or 204 where a framework makes it that; anything else is a failure.
    if (status === 200 || status === 204) return { kind: 'told' };
    return { kind: 'failed', reason: `answered ${status}`, final: status < 500 && !PASSING.has(status) };
  } catch (error) {
    return { kind: 'failed', reason: describeError(error), final: false };
  }
}

/** §2.4: a type of its own and never a nonce, so that it cannot pass for an ID token. */
function logoutToken({ issuer, keys, clock, random }: NoticeDeps, { clientId, subject, sid }: SessionEnd): string {
  const iat = Math.floor(clock.now() / 1000);
  const claims = {
    iss: issuer,
    aud: clientId,
    sub: subject,
    sid,
    iat,
    exp: iat + TOKEN_LIFETIME_SECONDS,
    jti: randomToken(16, random),
    events: { [LOGOUT_EVENT]: {} },
  };
  return signJwt(claims, keys.current().signingKey, 'logout+jwt');
}
