/** Owns the question whether the client may know: `GET|POST /approval?req=&hmac=`. The request is gone once answered. */
import { constantTimeEqual } from '@kfctl/core';
import { readForm } from '@kfctl/http';
import type { HttpHandler, HttpRequest, HttpResponse } from '@kfctl/http';
import { completeAuthorization } from '../authorize/complete.ts';
import { leavesOrigin } from '../authorize/redirect-uri.ts';
import { redirectWithError } from '../authorize/respond.ts';
import { approvalMac } from '../login/finish-login.ts';
import type { FinishDeps } from '../login/finish-login.ts';
import { requireSameSite } from '../login/same-site.ts';
import { pageError } from '../pages/error-page.ts';
import { approvalPage } from '../pages/login-pages.ts';
import type { AuthRequest } from '../storage/records.ts';

export function createApprovalEndpoint(deps: FinishDeps): HttpHandler {
  return async (request) => {
    const id = request.query.get('req') ?? '';
    const asked = await requireLoggedInRequest(deps, id, request.query.get('hmac') ?? '');
    if (request.method === 'GET' || request.method === 'HEAD') return await show(deps, { id, asked, request });
    if (request.method !== 'POST') throw pageError(400, 'Unsupported request method.');
    requireSameSite(request);
    return await answer(deps, id, request);
  };
}

// The proof comes first: nothing about the request is told to whoever knows its id alone.
async function requireLoggedInRequest({ storage, clock }: FinishDeps, id: string, mac: string): Promise<AuthRequest> {
  if (mac === '') throw pageError(401, 'Unauthorized request');
  const asked = /^[0-9a-f]{32}$/.test(id) ? await storage.get('authRequest', id) : undefined;
  if (asked === undefined) throw pageError(400, 'User session has expired.');
  if (!constantTimeEqual(mac, approvalMac(asked.hmacKey, id))) throw pageError(401, 'Unauthorized request');
  if (asked.expiresAt <= clock.now()) throw pageError(400, 'User session has expired.');
  return asked;
}

interface Shown {
  readonly id: string;
  readonly asked: AuthRequest;
  readonly request: HttpRequest;
}

async function show({ findClient, render }: FinishDeps, { id, asked, request }: Shown): Promise<HttpResponse> {
  const client = await findClient(asked.clientId);
  if (client === undefined) throw pageError(400, 'Invalid client_id.');
  const query = new URLSearchParams({ req: id, hmac: request.query.get('hmac') ?? '' });
  const action = `${request.path}?${query.toString()}`;
  const page = { requestId: id, scopes: asked.scopes, action, leavesOrigin: leavesOrigin(asked.redirectUri) };
  return render(approvalPage({ clientName: client.name, userName: asked.claims.username, ...page }), request.path);
}

async function answer(deps: FinishDeps, id: string, request: HttpRequest): Promise<HttpResponse> {
  const form = await readForm(request);
  const approval = form.get('approval');
  if (form.get('req') !== id || (approval !== 'approve' && approval !== 'rejected'))
    throw pageError(400, 'Invalid request');
  // Taking it makes the second of two submits find nothing.
  const asked = await deps.storage.take('authRequest', id);
  if (asked === undefined) throw pageError(400, 'User session has expired.');
  if (approval === 'approve') return await completeAuthorization(deps, asked);
  const problem = { error: 'access_denied', description: 'The request was refused.' };
  return redirectWithError(deps.log, { request, ...asked, problem });
}
