/** Owns the successful answer of the token endpoint (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3). */
import { jsonResponse } from '@kfctl/http';
import type { HttpResponse } from '@kfctl/http';
import { NO_STORE } from './token-error.ts';

export interface TokenResponse {
  readonly access_token: string;
  readonly token_type: 'bearer';
  readonly expires_in: number;
  readonly refresh_token?: string;
  readonly id_token?: string;
  readonly issued_token_type?: string;
  readonly scope?: string;
}

export function renderTokens(response: TokenResponse): HttpResponse {
  return jsonResponse(200, response, NO_STORE);
}
