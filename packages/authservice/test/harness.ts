/** Owns the parts of the AuthService's tests: a real OpenID provider, the real service, a browser's cookies and redirects. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, request as httpRequest } from 'node:http';
import type { IncomingHttpHeaders, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createLogger } from '@kfctl/core';
import type { Configuration, Grant, Provider } from 'oidc-provider';
import { readConfig, startAuthService } from '../src/index.ts';
import type { RunningAuthService } from '../src/index.ts';

export const PUBLIC_ORIGIN = 'https://kubeflow.test';
export const CLIENT_ID = 'kubeflow-authservice-oidc';
export const CLIENT_SECRET = 'a client secret: with/odd+characters%';

export interface Account {
  readonly email?: unknown;
  readonly email_verified?: unknown;
  readonly groups?: unknown;
}

export interface ProviderUnderTest {
  readonly issuer: string;
  readonly port: number;
  readonly provider: Provider;
  readonly accounts: Map<string, Account>;
  /** Paths of the requests that came, in order. */
  readonly requests: string[];
  close(): Promise<void>;
}

export interface ProviderOptions {
  readonly port?: number;
  readonly configuration?: Configuration;
}

/** A certified OpenID provider with a login form and no consent page. */
export async function startProvider(t: TestContext, options: ProviderOptions = {}): Promise<ProviderUnderTest> {
  // Heavy; most of the tests do without it.
  const oidc = await import('oidc-provider');
  const server = createServer();
  await listen(server, options.port ?? 0);
  const { port } = server.address() as AddressInfo;
  const issuer = `http://127.0.0.1:${port}`;
  const accounts = new Map<string, Account>();
  const requests: string[] = [];
  const provider = new oidc.Provider(issuer, { ...baseConfiguration(accounts), ...options.configuration });
  const callback = provider.callback();
  server.on('request', (incoming, outgoing) => {
    requests.push(incoming.url ?? '');
    callback(incoming, outgoing);
  });
  const close = (): Promise<void> => closeServer(server);
  t.after(close);
  return { issuer, port, provider, accounts, requests, close };
}

function baseConfiguration(accounts: ReadonlyMap<string, Account>): Configuration {
  // One a browser: with a grant of its own for every tab, the provider takes all but the last tab's codes for revoked.
  const grants = new Map<string, Grant>();
  return {
    clients: [
      {
        client_id: CLIENT_ID,
        client_secret: CLIENT_SECRET,
        redirect_uris: [`${PUBLIC_ORIGIN}/login/oidc`],
        post_logout_redirect_uris: [`${PUBLIC_ORIGIN}/bye`],
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'], profile: ['name'] },
    scopes: ['openid', 'profile', 'email', 'groups', 'offline_access'],
    conformIdTokenClaims: false,
    cookies: { keys: ['test'] },
    pkce: { required: () => true },
    features: {
      revocation: { enabled: true },
      devInteractions: { enabled: true },
      rpInitiatedLogout: { enabled: true },
    },
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, ...accounts.get(id) }),
    }),
    loadExistingGrant: async (context) => {
      const accountId = context.oidc.session?.accountId ?? '';
      const sessionUid = context.oidc.session?.uid ?? '';
      const known = grants.get(sessionUid);
      if (known !== undefined) return known;
      const grant = new context.oidc.provider.Grant({ clientId: CLIENT_ID, accountId });
      grant.addOIDCScope('openid profile email groups offline_access');
      grants.set(sessionUid, grant);
      await grant.save();
      return grant;
    },
  };
}

export interface ServiceUnderTest extends RunningAuthService {
  readonly env: Readonly<Record<string, string>>;
  /** Everything that was logged. */
  readonly logged: () => string;
}

export async function startService(t: TestContext, env: Readonly<Record<string, string>>): Promise<ServiceUnderTest> {
  const lines: string[] = [];
  const log = createLogger({ level: 'debug', write: (line) => lines.push(line) });
  const whole = { ...(await defaultEnv(t)), ...env };
  // Only environments may ask for fixed ports; tests take free ones.
  const config = { ...readConfig(whole), port: 0, readinessPort: 0 };
  const abort = new AbortController();
  const service = await startAuthService(config, { env: whole, log, signal: abort.signal });
  let stopping: Promise<void> | undefined;
  const stop = (): Promise<void> => {
    abort.abort();
    stopping ??= service.stop();
    return stopping;
  };
  t.after(stop);
  return { ...service, stop, env: whole, logged: () => lines.join('') };
}

async function defaultEnv(t: TestContext): Promise<Record<string, string>> {
  const directory = await mkdtemp(join(tmpdir(), 'authservice-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return {
    OIDC_SCOPES: 'openid profile email groups',
    REDIRECT_URL: `${PUBLIC_ORIGIN}/login/oidc`,
    CLIENT_ID,
    CLIENT_SECRET,
    SKIP_AUTH_URI: '/dex',
    SESSION_STORE_TYPE: 'file',
    SESSION_STORE_PATH: join(directory, 'sessions.db'),
    SESSION_ENCRYPTION_KEY: 'k'.repeat(44),
    SERVER_HOSTNAME: '127.0.0.1',
  };
}

export async function untilReady({ readinessPort }: RunningAuthService): Promise<void> {
  let answer = await send({ port: readinessPort, path: '/' });
  for (let tries = 0; answer.status !== 200; tries += 1) {
    if (tries > 2_000) throw new Error(`not ready: ${answer.body}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
    answer = await send({ port: readinessPort, path: '/' });
  }
}

export interface RawRequest {
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string | string[]>>;
  readonly body?: string;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly cookies: readonly string[];
  readonly body: string;
}

/** One request exactly as given: no redirects, no cookies, no normalising of the path. */
export function send({ port, path, method = 'GET', headers = {}, body }: RawRequest): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest({ host: '127.0.0.1', port, path, method, headers: { ...headers }, agent: false });
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () =>
        resolve({
          status: incoming.statusCode ?? 0,
          headers: incoming.headers,
          cookies: incoming.headers['set-cookie'] ?? [],
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    outgoing.end(body);
  });
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve());
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
