/**
 * Owns an authorization request between its arrival and the login. It is sealed into the `state` of the login address and
 * stored nowhere, so that requests of people who never log in cost nothing.
 */
import type { KeyRing } from '../keys/key-ring.ts';
import { pageError } from '../pages/error-page.ts';

export interface PendingRequest {
  readonly clientId: string;
  readonly responseTypes: readonly string[];
  readonly scopes: readonly string[];
  readonly redirectUri: string;
  readonly state: string;
  readonly nonce: string;
  readonly forceApprovalPrompt: boolean;
  readonly codeChallenge: string;
  readonly codeChallengeMethod: string;
  readonly connectorId: string;
  readonly loginHint: string;
  /** The browser that it began in, where there are sessions. */
  readonly browser?: string;
  readonly expiresAt: number;
}

/** A pending request on its way through an upstream provider, with what its connector wants back. */
export interface CarriedRequest {
  readonly pending: PendingRequest;
  readonly carried: Readonly<Record<string, string>>;
}

type Purpose = 'login' | 'callback';

export function sealPending(keys: KeyRing, pending: PendingRequest): string {
  return keys.current().sealer.seal('login' satisfies Purpose, { pending, carried: {} });
}

export function sealCarried(keys: KeyRing, carried: CarriedRequest): string {
  return keys.current().sealer.seal('callback' satisfies Purpose, carried);
}

/** Opens what `sealPending` or `sealCarried` made. Throws the page that the person sees: missing, not ours, too old. */
export async function openPending(
  { keys, nowMs }: { readonly keys: KeyRing; readonly nowMs: number },
  sealed: string | null,
  purpose: Purpose,
): Promise<CarriedRequest> {
  if (sealed === null || sealed === '') throw pageError(400, 'User session error.');
  let opened = keys.current().sealer.open(purpose, sealed);
  if (opened === undefined) {
    // Another replica may have a newer sealing key.
    await keys.ensureKnown('');
    opened = keys.current().sealer.open(purpose, sealed);
  }
  if (opened === undefined) throw pageError(400, 'Requested resource does not exist.');
  const request = opened as CarriedRequest;
  if (request.pending.expiresAt <= nowMs) throw pageError(400, 'User session has expired.');
  return request;
}
