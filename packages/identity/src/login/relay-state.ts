/**
 * Owns the short RelayState of logins by form. SAML (Bindings §3.4.3) allows 80 bytes and some providers insist, while a pending
 * request has hundreds: the browser keeps it in a cookie and the RelayState says which one. Nothing is stored for strangers, and an
 * answer is taken only in the browser that asked.
 */
import { randomToken } from '@kfctl/core';
import type { RandomBytes } from '@kfctl/core';
import type { HttpRequest } from '@kfctl/http';
import type { IdentityConfig } from '../config/config.ts';
import { isSecure, readCookie, renderCookie } from '../session/session-cookie.ts';

interface RelayDeps {
  readonly config: Pick<IdentityConfig, 'issuer' | 'basePath' | 'expiry'>;
  readonly random: RandomBytes;
}

export interface RelayStart {
  readonly relayState: string;
  readonly cookies: readonly string[];
}

export type Relayed =
  | { readonly kind: 'found'; readonly sealed: string; readonly cookies: readonly string[] }
  /** The browser brought no cookie; `sendAgain` when it may if the form comes from ourselves. */
  | { readonly kind: 'absent'; readonly sendAgain: boolean };

/** Logins in several tabs; more than these would crowd the header. */
const SLOTS = ['0', '1', '2'] as const;
const MAX_COOKIE_CHARACTERS = 3500;
const MAX_AGE_SECONDS = 3600;
const HANDLE = /^[\w-]{32}$/;
/** The field that marks a form which comes from ourselves. */
export const SENT_AGAIN = 'sent_again';

interface Relay {
  readonly sealed: string;
  /** The address that the answer will be sent to. */
  readonly returnTo: string;
}

export function startRelay(
  { config, random }: RelayDeps,
  request: HttpRequest,
  { sealed, returnTo }: Relay,
): RelayStart {
  // Where no cookie would come back with it the request itself travels, which most providers take.
  if (sealed.length > MAX_COOKIE_CHARACTERS || !isSameHost(request, returnTo))
    return { relayState: sealed, cookies: [] };
  const handle = randomToken(24, random);
  const free = SLOTS.find((slot) => readCookie(request, nameOf(slot)) === undefined);
  const slot = free ?? SLOTS[(random(1)[0] ?? 0) % SLOTS.length] ?? SLOTS[0];
  const maxAgeSeconds = Math.min(MAX_AGE_SECONDS, Math.floor(config.expiry.authRequests / 1000));
  return {
    relayState: handle,
    cookies: [cookieOf(config, request, { slot, value: `${handle}.${sealed}`, maxAgeSeconds })],
  };
}

/** The pending request behind a RelayState, and the cookies that forget it. */
export function openRelay({ config }: Pick<RelayDeps, 'config'>, request: HttpRequest, form: URLSearchParams): Relayed {
  const relayState = form.get('RelayState') ?? '';
  if (!HANDLE.test(relayState)) return { kind: 'found', sealed: relayState, cookies: [] };
  for (const slot of SLOTS) {
    const value = readCookie(request, nameOf(slot)) ?? '';
    if (!value.startsWith(`${relayState}.`)) continue;
    const gone = cookieOf(config, request, { slot, value: '', maxAgeSeconds: 0 });
    return { kind: 'found', sealed: value.slice(relayState.length + 1), cookies: [gone] };
  }
  return { kind: 'absent', sendAgain: !isSecure(request, config.issuer) && !form.has(SENT_AGAIN) };
}

/** Whether the browser is where the answer will come to: somebody may have begun at another name of ours. */
function isSameHost({ headers }: HttpRequest, returnTo: string): boolean {
  const named = String(headers['x-forwarded-host'] ?? headers.host ?? '');
  const host = URL.canParse(`http://${named}`) ? new URL(`http://${named}`).hostname : '';
  return URL.canParse(returnTo) && new URL(returnTo).hostname === host;
}

interface RelayCookie {
  readonly slot: string;
  readonly value: string;
  readonly maxAgeSeconds: number;
}

// The form comes from the provider's site: only SameSite=None travels with it, and only over https.
function cookieOf(
  { issuer, basePath }: RelayDeps['config'],
  request: HttpRequest,
  { slot, value, maxAgeSeconds }: RelayCookie,
): string {
  const secure = isSecure(request, issuer);
  return renderCookie(nameOf(slot), value, {
    path: basePath,
    secure,
    maxAgeSeconds,
    sameSite: secure ? 'None' : 'Lax',
  });
}

function nameOf(slot: string): string {
  return `dex_relay_${slot}`;
}
