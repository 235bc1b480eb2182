/** Owns the polling of a device (RFC 8628 §3.4, §3.5). */
import { isPkceMethod, verifyPkce } from '@kfctl/oidc';
import { codeId } from '../authorize/complete.ts';
import type { ProviderDeps } from '../provider.ts';
import type { DeviceToken } from '../storage/records.ts';
import { refuse } from '../token/token-error.ts';
import type { TokenRefusal } from '../token/token-error.ts';
import type { TokenResponse } from '../token/token-response.ts';

const SLOW_DOWN_SECONDS = 5;

/** The device code is the proof; clients of Dex send no secret here. */
export async function pollDeviceCode(deps: ProviderDeps, form: URLSearchParams): Promise<TokenResponse | TokenRefusal> {
  const { storage, clock } = deps;
  const presented = form.get('device_code') ?? '';
  if (presented === '') return refuse('invalid_request', 'No device code received');
  const id = codeId(presented);
  const now = clock.now();
  const record = await storage.get('deviceToken', id);
  if (record === undefined) return refuse('invalid_request', 'Invalid Device code.');
  if (record.expiresAt <= now) return refuse('expired_token', '');
  const pkce = findPkceProblem(record, form.get('code_verifier') ?? '');
  if (pkce !== undefined) return pkce;
  if (record.status === 'complete') return await collect(deps, id);
  const tooFast = now < record.lastRequestAt + record.pollIntervalSeconds * 1000;
  await storage.update('deviceToken', id, (current) => ({
    ...current,
    lastRequestAt: now,
    pollIntervalSeconds: current.pollIntervalSeconds + (tooFast ? SLOW_DOWN_SECONDS : 0),
  }));
  return tooFast ? refuse('slow_down', '') : refuse('authorization_pending', '');
}

// Handed out once: whoever learns the device code later gets nothing.
async function collect({ storage }: ProviderDeps, id: string): Promise<TokenResponse | TokenRefusal> {
  const taken = await storage.take('deviceToken', id);
  return taken === undefined
    ? refuse('invalid_request', 'Invalid Device code.')
    : (JSON.parse(taken.token) as TokenResponse);
}

/** RFC 7636 §4.6. */
function findPkceProblem(
  { codeChallenge, codeChallengeMethod }: DeviceToken,
  verifier: string,
): TokenRefusal | undefined {
  if (codeChallenge === '') return verifier === '' ? undefined : refuse('invalid_request', 'No PKCE flow started.');
  if (verifier === '') return refuse('invalid_grant', 'Expecting parameter code_verifier in PKCE flow.');
  const method = codeChallengeMethod === '' ? 'plain' : codeChallengeMethod;
  const proven = isPkceMethod(method) && verifyPkce(verifier, codeChallenge, method);
  return proven ? undefined : refuse('invalid_grant', 'Invalid code_verifier.');
}
