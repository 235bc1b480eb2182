/** Owns a provider that signs whatever a test wants: wrong tokens, foreign keys, lying userinfo. */
import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TestContext } from 'node:test';
import { exportPublicJwk, signJwt } from '@kfctl/oidc';
import type { Browser, Visited } from './browser.ts';
import type { CertificateFiles } from '../../testkit/src/certificate.ts';
import { CLIENT_ID, PUBLIC_ORIGIN } from './harness.ts';

export interface TokenRequest {
  readonly form: URLSearchParams;
  readonly authorization: string;
}

export interface HostileProvider {
  readonly issuer: string;
  readonly key: KeyObject;
  /** What the endpoints answer; tests replace them. */
  answers: {
    /** Claims that go over the honest ones; undefined takes one away. */
    claims: Record<string, unknown>;
    idToken: (claims: Record<string, unknown>) => string;
    token: (request: TokenRequest) => { status?: number; body: unknown };
    userinfo: () => { status?: number; body: unknown };
    revoke: () => { status?: number; body: unknown };
    metadata: Record<string, unknown>;
  };
  readonly requests: string[];
  /** Answers of userinfo wait for it. */
  hold: Promise<void>;
  /** So do those of the revocation endpoint. */
  holdRevocation: Promise<void>;
  /** The nonce of the last login, as a real provider learns it from the authorization request. */
  nonce: string;
  close(): Promise<void>;
}

/** `tls`: https with this certificate. */
export async function startHostileProvider(t: TestContext, tls?: CertificateFiles): Promise<HostileProvider> {
  const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server =
    tls === undefined
      ? createServer()
      : createSecureServer({ cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const issuer = `http${tls === undefined ? '' : 's'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const requests: string[] = [];
  const idToken = (claims: Record<string, unknown>): string => signJwt(claims, { kid: 'k1', alg: 'ES256', key });
  const honest = (): Record<string, unknown> => ({
    iss: issuer,
    aud: CLIENT_ID,
    sub: 'subject-1',
    email: 'eve@example.com',
    nonce: provider.nonce,
    iat: Math.floor(Date.now() / 1000),
    exp: Math.floor(Date.now() / 1000) + 300,
  });
  const provider: HostileProvider = {
    issuer,
    key,
    nonce: '',
    hold: Promise.resolve(),
    holdRevocation: Promise.resolve(),
    requests,
    answers: {
      claims: {},
      idToken,
      token: () => ({
        body: {
          id_token: provider.answers.idToken({ ...honest(), ...provider.answers.claims }),
          token_type: 'Bearer',
          access_token: 'at',
        },
      }),
      userinfo: () => ({ body: { sub: 'subject-1' } }),
      revoke: () => ({ body: {} }),
      metadata: {},
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  const metadata = {
    issuer,
    authorization_endpoint: `${issuer}/auth`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/keys`,
    userinfo_endpoint: `${issuer}/userinfo`,
  };
  server.on('request', (incoming, outgoing) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { pathname } = new URL(incoming.url ?? '', issuer);
      requests.push(pathname);
      const form = new URLSearchParams(Buffer.concat(chunks).toString());
      const { status = 200, body } = answer(pathname, { form, authorization: incoming.headers.authorization ?? '' });
      const held: Readonly<Record<string, Promise<void>>> = {
        '/userinfo': provider.hold,
        '/revoke': provider.holdRevocation,
      };
      void (held[pathname] ?? Promise.resolve()).then(() => {
        outgoing.writeHead(status, { 'content-type': 'application/json' });
        outgoing.end(typeof body === 'string' ? body : JSON.stringify(body));
      });
    });
  });
  const answer = (path: string, request: TokenRequest): { status?: number; body: unknown } => {
    if (path === '/.well-known/openid-configuration') return { body: { ...metadata, ...provider.answers.metadata } };
    if (path === '/keys') return { body: { keys: [exportPublicJwk(key, 'k1')] } };
    if (path === '/token') return provider.answers.token(request);
    if (path === '/userinfo') return provider.answers.userinfo();
    if (path === '/revoke') return provider.answers.revoke();
    return { status: 404, body: {} };
  };
  t.after(provider.close);
  return provider;
}

/** Goes from a page to the provider and straight back with a code; gives the callback's answer. */
export async function loginAt(
  provider: HostileProvider,
  browser: Browser,
  more: Record<string, string> = {},
): Promise<Visited> {
  const start = await browser.fetch(`${PUBLIC_ORIGIN}/page`);
  const query = new URL(start.headers.location ?? '').searchParams;
  provider.nonce = query.get('nonce') ?? '';
  const back = new URLSearchParams({ code: 'c', state: query.get('state') ?? '', ...more });
  return await browser.fetch(`${PUBLIC_ORIGIN}/login/oidc?${back}`);
}
