/** Owns `POST /device/code` (RFC 8628 §3.1): a device without a browser asks for a code to show. */
import { jsonResponse } from '@kfctl/http';
import type { HttpHandler, HttpResponse } from '@kfctl/http';
import { isCodeChallenge } from '@kfctl/oidc';
import { codeId } from '../authorize/complete.ts';
import { splitScopes } from '../authorize/scopes.ts';
import { authenticateClient } from '../clients/authenticate-client.ts';
import type { ProviderDeps } from '../provider.ts';
import { findScopeProblem } from '../token/password-grant.ts';
import { answerRefusal, NO_STORE, refuse, TokenRefusal } from '../token/token-error.ts';
import { readTokenForm } from '../token/token-endpoint.ts';
import { newDeviceCode, newUserCode } from './device-codes.ts';

/** RFC 8628 §3.2. */
export const POLL_INTERVAL_SECONDS = 5;

/** Public clients prove nothing: so many requests may be open at a time, and the storage cannot be filled. */
const MAX_OPEN = 1000;

export function createDeviceAuthorizationEndpoint(deps: ProviderDeps): HttpHandler {
  const { config, storage, clock, random } = deps;
  let open: readonly number[] = [];
  return async (request) => {
    const refused = (refusal: TokenRefusal): HttpResponse => answerRefusal(deps.log, { request, refusal });
    const form = await readTokenForm(request);
    if (form instanceof TokenRefusal) return refused(form);
    // Whoever cannot prove to be a client gets no entry in the storage.
    const client = await authenticateClient(request, form, deps.findClient);
    if (client instanceof TokenRefusal) return refused(client);
    const scopes = splitScopes(form.get('scope') ?? 'openid');
    const problem = (await findScopeProblem(deps, client, scopes)) ?? findPkceProblem(form);
    if (problem !== undefined) return refused(problem);
    open = open.filter((expiresAt) => expiresAt > clock.now());
    if (open.length >= MAX_OPEN) return refused(refuse('temporarily_unavailable', 'Try again later.', 503));
    const deviceCode = newDeviceCode(random);
    const userCode = newUserCode(random);
    const expiresAt = clock.now() + config.expiry.deviceRequests;
    open = [...open, expiresAt];
    await storage.create('deviceToken', codeId(deviceCode), {
      status: 'pending',
      token: '',
      lastRequestAt: 0,
      pollIntervalSeconds: POLL_INTERVAL_SECONDS,
      codeChallenge: form.get('code_challenge') ?? '',
      codeChallengeMethod: form.get('code_challenge_method') ?? '',
      expiresAt,
    });
    const pending = { userCode, deviceCode: codeId(deviceCode), clientId: client.id, scopes, expiresAt };
    if (!(await storage.create('deviceRequest', userCode, pending))) throw new Error('user code is taken');
    const verification = `${config.issuer.replace(/\/+$/, '')}/device`;
    const answer = {
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: verification,
      verification_uri_complete: `${verification}?user_code=${userCode}`,
      expires_in: Math.floor(config.expiry.deviceRequests / 1000),
      interval: POLL_INTERVAL_SECONDS,
    };
    return jsonResponse(200, answer, NO_STORE);
  };
}

/** RFC 7636 §4.2, §4.3. */
function findPkceProblem(form: URLSearchParams): TokenRefusal | undefined {
  const challenge = form.get('code_challenge') ?? '';
  const method = form.get('code_challenge_method') ?? '';
  if (method !== '' && method !== 'S256' && method !== 'plain') {
    return refuse('invalid_request', `Unsupported PKCE challenge method (${JSON.stringify(method)}).`);
  }
  return challenge === '' || isCodeChallenge(challenge)
    ? undefined
    : refuse('invalid_request', 'Malformed code_challenge.');
}
