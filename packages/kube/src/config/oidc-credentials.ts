/** Owns the `oidc` auth-provider: the id token of the kubeconfig, refreshed at its issuer when it has expired. */
import { request as httpsRequest } from 'node:https';
import { readFileSync } from 'node:fs';
import { AppError, Secret } from '@kfctl/core';
import type { CredentialSource } from './kube-config.ts';
import { textField, toFields } from './kubeconfig-file.ts';
import type { Fields } from './kubeconfig-file.ts';

const EARLY_MS = 10_000;
const TIMEOUT_MS = 15_000;
const MAX_BYTES = 1024 * 1024;

/** A source of id tokens. A refreshed token is kept in memory only: kubectl owns the file. */
export function oidcCredentials(config: Fields): CredentialSource {
  let idToken = textField(config, 'id-token');
  let refreshToken = textField(config, 'refresh-token');
  let running: Promise<string> | undefined;
  const refresh = async (): Promise<string> => {
    const tokens = await refreshTokens(config, refreshToken);
    refreshToken = tokens.refreshToken ?? refreshToken;
    idToken = tokens.idToken;
    return idToken;
  };
  return {
    current: async () => {
      const fresh = idToken !== undefined && expiresAt(idToken) - EARLY_MS > Date.now();
      const token = fresh ? idToken : await (running ??= refresh().finally(() => (running = undefined)));
      return { authorization: new Secret(`Bearer ${token ?? ''}`) };
    },
    invalidate: () => {
      idToken = undefined;
      return refreshToken !== undefined;
    },
  };
}

/** Milliseconds of the token's `exp`; the server verifies the token, we only ask whether it is worth sending. */
function expiresAt(token: string): number {
  try {
    const claims = toFields(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')));
    return typeof claims['exp'] === 'number' ? claims['exp'] * 1000 : 0;
  } catch {
    return 0;
  }
}

interface Tokens {
  readonly idToken: string;
  readonly refreshToken?: string | undefined;
}

async function refreshTokens(config: Fields, refreshToken: string | undefined): Promise<Tokens> {
  const issuer = textField(config, 'idp-issuer-url');
  const clientId = textField(config, 'client-id');
  if (refreshToken === undefined || issuer === undefined || clientId === undefined) {
    throw new AppError('KUBE_OIDC_EXPIRED', 'the id token of the kubeconfig has expired and cannot be refreshed', {
      hint: 'Log in again with the tool that wrote the kubeconfig.',
    });
  }
  const ca = readAuthority(config);
  const discovery = await call(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, { ca });
  const endpoint = textField(discovery, 'token_endpoint');
  if (endpoint === undefined) throw new AppError('KUBE_OIDC_REFRESH', `the issuer ${issuer} names no token endpoint`);
  const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId });
  const secret = textField(config, 'client-secret');
  if (secret !== undefined) form.set('client_secret', secret);
  const answer = await call(endpoint, { ca, form });
  const idToken = textField(answer, 'id_token');
  if (idToken === undefined) throw new AppError('KUBE_OIDC_REFRESH', `the issuer ${issuer} gave no id token`);
  return { idToken, refreshToken: textField(answer, 'refresh_token') };
}

function readAuthority(config: Fields): string | undefined {
  const inline = textField(config, 'idp-certificate-authority-data');
  if (inline !== undefined) return Buffer.from(inline, 'base64').toString('utf8');
  const path = textField(config, 'idp-certificate-authority');
  return path === undefined ? undefined : readFileSync(path, 'utf8');
}

function call(
  url: string,
  options: { readonly ca: string | undefined; readonly form?: URLSearchParams },
): Promise<Fields> {
  if (!url.startsWith('https://')) throw new AppError('KUBE_OIDC_REFRESH', 'refresh tokens are sent over https only');
  return new Promise((resolve, reject) => {
    const body = options.form?.toString();
    const fail = (cause: unknown): void =>
      reject(new AppError('KUBE_OIDC_REFRESH', `cannot refresh the id token at ${new URL(url).origin}`, { cause }));
    const request = httpsRequest(url, {
      method: body === undefined ? 'GET' : 'POST',
      timeout: TIMEOUT_MS,
      ...(options.ca === undefined ? {} : { ca: options.ca }),
      headers:
        body === undefined
          ? {}
          : { 'content-type': 'application/x-www-form-urlencoded', 'content-length': Buffer.byteLength(body) },
    });
    request.on('timeout', () => request.destroy(new Error('no answer in time')));
    request.on('error', fail);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      let size = 0;
      response.on('data', (chunk: Buffer) => {
        size += chunk.length;
        if (size > MAX_BYTES) request.destroy(new Error('the answer is too large'));
        else chunks.push(chunk);
      });
      response.on('error', fail);
      response.on('end', () => {
        if (response.statusCode !== 200) return fail(new Error(`HTTP ${response.statusCode}`));
        try {
          resolve(toFields(JSON.parse(Buffer.concat(chunks).toString('utf8'))));
        } catch {
          fail(new Error('the answer is not JSON'));
        }
      });
    });
    request.end(body);
  });
}
