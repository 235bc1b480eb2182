/** Owns what follows a proven identity: approval where it is due, otherwise the answer to the client. */

import type { HttpResponse } from '@kfctl/http';
import type { PendingRequest } from '../authorize/pending-request.ts';
import { DEVICE_CALLBACK } from '../authorize/redirect-uri.ts';
import { redirectTo } from '../authorize/respond.ts';
import { completeAuthorization } from '../authorize/complete.ts';
import type { IdentityConfig } from '../config/config.ts';
import type { Authenticated } from '../connectors/connector.ts';
import type { ProviderDeps } from '../provider.ts';
import type { AuthRequest } from '../storage/records.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createHmac } = process.getBuiltinModule('node:crypto');

export type FinishDeps = Pick<
  ProviderDeps,
  'config' | 'storage' | 'keys' | 'findClient' | 'clock' | 'random' | 'render' | 'log'
>;

/** How long a person may look at the approval page. */
const APPROVAL_LIFETIME_MS = 600_000;

export async function finishLogin(
  deps: FinishDeps,
  pending: PendingRequest,
  who: Authenticated & { readonly authTimeMs?: number; readonly sid?: string },
): Promise<HttpResponse> {
  const { config, storage, clock, random } = deps;
  const request: AuthRequest = {
    clientId: pending.clientId,
    responseTypes: pending.responseTypes,
    scopes: pending.scopes,
    redirectUri: pending.redirectUri,
    nonce: pending.nonce,
    state: pending.state,
    forceApprovalPrompt: pending.forceApprovalPrompt,
    claims: who.identity,
    connectorId: pending.connectorId,
    connectorData: who.connectorData?.toString('base64') ?? '',
    codeChallenge: pending.codeChallenge,
    codeChallengeMethod: pending.codeChallengeMethod,
    hmacKey: random(32).toString('base64'),
    authTimeMs: who.authTimeMs ?? clock.now(),
    sid: who.sid ?? '',
    expiresAt: clock.now() + APPROVAL_LIFETIME_MS,
  };
  deps.log.info('login succeeded', {
    connector: pending.connectorId,
    client: pending.clientId,
    user: who.identity.userId,
  });
  if (!needsApproval(pending, config)) return await completeAuthorization(deps, request);
  // Only now is anything stored: whoever gets here has proven who they are.
  const id = random(16).toString('hex');
  await storage.create('authRequest', id, request);
  const query = new URLSearchParams({ req: id, hmac: approvalMac(request.hmacKey, id) });
  return redirectTo(`${config.basePath}/approval?${query.toString()}`);
}

/** RFC 8628 §5.4: whoever is led into a device login by a stranger's link must be asked before the device gets anything. */
export function needsApproval(
  { forceApprovalPrompt, redirectUri }: Pick<PendingRequest, 'forceApprovalPrompt' | 'redirectUri'>,
  { oauth2, basePath }: IdentityConfig,
): boolean {
  return forceApprovalPrompt || !oauth2.skipApprovalScreen || redirectUri === basePath + DEVICE_CALLBACK;
}

/** Proof that the holder came through this login; the id alone is worth nothing (Dex advisory GHSA-vh7g-p26c-j2cw). */
export function approvalMac(hmacKey: string, id: string): string {
  return createHmac('sha256', Buffer.from(hmacKey, 'base64')).update(id).digest('base64url');
}
