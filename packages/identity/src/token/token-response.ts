/** Owns the successful answer of the token endpoint (RFC 6749 §5.1, OpenID Connect Core §3.1.3.3). */
import { constantHeaders } from '@kfctl/http';
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

const HEADERS = constantHeaders({ 'content-type': 'application/json', ...NO_STORE });

export function renderTokens(response: TokenResponse): HttpResponse {
  return { status: 200, headers: HEADERS, body: renderJson(response) };
}

/** As JSON.stringify, which takes longer for two tokens than an answer takes without them. */
function renderJson({ access_token, token_type, expires_in, ...more }: TokenResponse): string {
  let json = `{"access_token":${quote(access_token)},"token_type":"${token_type}","expires_in":${expires_in}`;
  for (const name of OPTIONAL) {
    const value = more[name];
    if (value !== undefined) json += `,"${name}":${quote(value)}`;
  }
  return `${json}}`;
}

const OPTIONAL = ['refresh_token', 'id_token', 'issued_token_type', 'scope'] as const;

/** What is no token of ours may hold anything. */
function quote(text: string): string {
  return text.includes('"') || text.includes('\\') ? JSON.stringify(text) : `"${text}"`;
}
