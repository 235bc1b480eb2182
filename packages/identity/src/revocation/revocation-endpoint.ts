/** Owns `/token/revoke` (RFC 7009): a client gives up a refresh token. */
import type { HttpHandler, HttpResponse } from '@kfctl/http';
import { authenticateClient } from '../clients/authenticate-client.ts';
import type { ProviderDeps } from '../provider.ts';
import { findRefreshToken } from '../token/refresh-token-grant.ts';
import { deleteRefreshToken } from '../token/refresh-tokens.ts';
import { answerRefusal, NO_STORE, refuse, TokenRefusal } from '../token/token-error.ts';
import { readTokenForm } from '../token/token-endpoint.ts';
import { verifyOwnToken } from '../token/verify-own-token.ts';

export function createRevocationEndpoint(deps: ProviderDeps): HttpHandler {
  return async (request) => {
    const refused = (refusal: TokenRefusal): HttpResponse => answerRefusal(deps.log, { request, refusal });
    const form = await readTokenForm(request);
    if (form instanceof TokenRefusal) return refused(form);
    const client = await authenticateClient(request, form, deps.findClient);
    if (client instanceof TokenRefusal) return refused(client);
    const token = form.get('token') ?? '';
    if (token === '') return refused(refuse('invalid_request', 'Required param: token.'));
    const found = await findRefreshToken(deps.storage, token);
    if (found !== undefined && found.record.clientId === client.id) {
      await deleteRefreshToken(deps.storage, found.id);
      deps.log.info('refresh token revoked', { client: client.id, reason: 'asked by the client' });
    } else if ((await verifyOwnToken(deps, token)).kind === 'valid') {
      // §2.2.1: signed tokens live until they expire; saying otherwise would be a lie.
      return refused(refuse('unsupported_token_type', 'Access tokens and ID tokens cannot be revoked.'));
    }
    // §2.2: an unknown token, and one of another client, is answered like a revoked one.
    return { status: 200, headers: NO_STORE };
  };
}
