/** Owns the successful end of an authorization: the code, and tokens where the response type asks for them. */
import { randomToken } from '@kfctl/core';
import type { HttpResponse } from '@kfctl/http';
import { codePage } from '../pages/login-pages.ts';
import { pageError } from '../pages/error-page.ts';
import type { ProviderDeps } from '../provider.ts';
import type { AuthCode, AuthRequest } from '../storage/records.ts';
import { createIssuer } from '../token/issue-tokens.ts';
import { OUT_OF_BAND } from './redirect-uri.ts';
import { redirectTo, withParameters } from './respond.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createHash } = process.getBuiltinModule('node:crypto');

type Deps = Pick<ProviderDeps, 'config' | 'storage' | 'keys' | 'findClient' | 'clock' | 'random' | 'render'>;

/** RFC 6749 §4.1.2 recommends ten minutes at most; Dex's clients are used to thirty. */
const CODE_LIFETIME_MS = 1_800_000;

/** Codes are stored under their hash: reading the storage does not give codes that can be redeemed. */
export function codeId(code: string): string {
  return createHash('sha256').update(code).digest('hex');
}

export async function completeAuthorization(deps: Deps, request: AuthRequest): Promise<HttpResponse> {
  const { storage, random, clock, render } = deps;
  const wants = new Set(request.responseTypes);
  const code = wants.has('code') ? randomToken(32, random) : undefined;
  if (code !== undefined) await storage.create('authCode', codeId(code), toAuthCode(request, clock.now()));
  if (request.redirectUri === OUT_OF_BAND) return render(codePage(code ?? ''), `${deps.config.basePath}/approval`);
  const parameters = new URLSearchParams();
  if (wants.has('token') || wants.has('id_token')) await addTokens(deps, request, { parameters, code });
  if (code !== undefined) parameters.set('code', code);
  parameters.set('state', request.state);
  const mode = wants.has('token') || wants.has('id_token') ? 'fragment' : 'query';
  return redirectTo(withParameters(request.redirectUri, parameters, mode));
}

function toAuthCode(request: AuthRequest, nowMs: number): AuthCode {
  const { responseTypes: _types, state: _state, forceApprovalPrompt: _force, hmacKey: _key, ...code } = request;
  return { ...code, expiresAt: nowMs + CODE_LIFETIME_MS };
}

interface FrontChannel {
  readonly parameters: URLSearchParams;
  readonly code: string | undefined;
}

// OpenID Connect Core §3.2.2.5 and §3.3.2.5.
async function addTokens(deps: Deps, request: AuthRequest, { parameters, code }: FrontChannel): Promise<void> {
  const client = await deps.findClient(request.clientId);
  if (client === undefined) throw pageError(400, 'Invalid client_id.');
  const issuer = createIssuer(deps);
  const { accessToken, idToken, expiresInSeconds } = await issuer.issue(
    { ...request, client, identity: request.claims },
    code === undefined ? {} : { code },
  );
  parameters.set('access_token', accessToken);
  parameters.set('token_type', 'bearer');
  if (code === undefined) parameters.set('expires_in', String(expiresInSeconds));
  if (request.responseTypes.includes('id_token')) parameters.set('id_token', idToken);
}
