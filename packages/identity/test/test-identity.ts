/** Owns a whole provider for tests: the real process code on a free port, with a clock that tests move. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLogger, systemRandom } from '@kfctl/core';
import { startIdentity } from '../src/serve/start-identity.ts';

/** bcrypt cost 10 of "password". */
export const HASH = '$2y$10$uK9tzAHwz1xVE3s9JoMdLOd/vTogYo/.DJfRtxpv/sB4U/k2Dr5Fe';
export const ISSUER = 'http://dex.kubeflow.svc.cluster.local:5556/dex';

export const CLIENTS: string = `staticClients:
- {id: app, name: "The <b>App</b>", secret: s3cret, redirectURIs: [/login/oidc, "https://app.example.com/cb?x=1", "https://app.example.com/plain", /device/callback], postLogoutRedirectURIs: [/bye]}
- {id: other, name: Other, secret: "o:th er%", redirectURIs: [/other], trustedPeers: [app]}
- {id: cli, name: CLI, public: true}
- {id: spa, name: SPA, public: true, redirectURIs: ["https://spa.example.com/"]}
- {id: tied, name: Tied, secret: t, redirectURIs: [/tied], allowedConnectors: [elsewhere]}
`;

export const USERS: string = `enablePasswordDB: true
staticPasswords:
- {email: Admin@Kubeflow.org, hash: "${HASH}", username: admin, userID: 08a8684b-db88-4b73-90a9-3cd1661f5466, groups: [admins]}
- {email: zoe@example.com, hash: "${HASH}", username: zoe, userID: "2", name: "Zoë", preferredUsername: zo}
`;

export interface TestOptions {
  /** Replaces users and the rest of the usual file after storage and web. */
  readonly config?: string;
  readonly storage?: string;
  readonly oauth2?: string;
  /** More keys of `web`, after a comma. */
  readonly web?: string;
  readonly env?: Record<string, string>;
  readonly issuer?: string;
  /** Lines of the file beside the usual ones. */
  readonly more?: string;
  /** The whole file, instead of all the rest. */
  readonly text?: string;
  /** The file's `signer`; empty for none. */
  readonly signer?: string;
  /** Where the clock stands at the start. */
  readonly now?: number;
}

export interface TestIdentity {
  /** `http://127.0.0.1:PORT` without the issuer's path. */
  readonly origin: string;
  /** Base URL of the telemetry listener. */
  readonly telemetry: string;
  /** The port of the management API, where the file has one. */
  readonly grpc: number | undefined;
  readonly file: string;
  readonly log: string[];
  now: number;
  stop(): Promise<void>;
  fetch(pathAndQuery: string, init?: RequestInit): Promise<Response>;
  /** Form POST. */
  post(pathAndQuery: string, form: Record<string, string>, headers?: Record<string, string>): Promise<Response>;
}

export function configText(options: TestOptions = {}): string {
  const { storage = 'type: memory', oauth2 = 'skipApprovalScreen: true', config = USERS, issuer = ISSUER } = options;
  if (options.text !== undefined) return options.text;
  const { signer = 'signer: {config: {algorithm: ES256}}\n' } = options;
  return `issuer: ${issuer}
storage: {${storage}}
web: {http: "127.0.0.1:0"${options.web ?? ''}}
telemetry: {http: "127.0.0.1:0"}
oauth2: {${oauth2}}
${signer}${options.more ?? ''}
${config}${config.includes('staticClients') ? '' : CLIENTS}`;
}

export async function startTestIdentity(options: TestOptions = {}): Promise<TestIdentity> {
  const directory = mkdtempSync(path.join(tmpdir(), 'identity-'));
  const file = path.join(directory, 'config.yaml');
  writeFileSync(file, configText(options));
  const log: string[] = [];
  const identity = { now: options.now ?? Date.now() };
  const running = await startIdentity({
    file,
    env: options.env ?? {},
    clock: { now: () => identity.now },
    random: systemRandom,
    createLog: () => createLogger({ level: 'debug', write: (line) => log.push(line) }),
    signal: new AbortController().signal,
  }).catch((error: unknown) => {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  });
  const origin = `http://127.0.0.1:${running.ports.http}`;
  const request = (target: string, init: RequestInit = {}): Promise<Response> =>
    fetch(new URL(target, origin), { redirect: 'manual', ...init });
  return Object.assign(identity, {
    origin,
    grpc: running.ports.grpc,
    telemetry: `http://127.0.0.1:${running.ports.telemetry}`,
    file,
    log,
    fetch: request,
    post: (target: string, form: Record<string, string>, headers: Record<string, string> = {}) =>
      request(target, { method: 'POST', body: new URLSearchParams(form), headers }),
    stop: async () => {
      await running.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  });
}

export const AUTH = {
  client_id: 'app',
  redirect_uri: '/login/oidc',
  response_type: 'code',
  scope: 'openid profile email groups',
  state: 'st&te=1',
};

export function authUrl(changes: Record<string, string | undefined> = {}, endpoint = '/dex/auth/local'): string {
  const entries = Object.entries({ ...AUTH, ...changes }).filter(
    (entry): entry is [string, string] => entry[1] !== undefined,
  );
  return `${endpoint}?${new URLSearchParams(entries).toString()}`;
}

export function locationOf(response: Response): URL {
  return new URL(response.headers.get('location') ?? 'about:blank', 'http://browser.test');
}

/** Walks to the login page; gives its path and query. */
export async function openLogin(
  identity: TestIdentity,
  changes: Record<string, string | undefined> = {},
): Promise<string> {
  const response = await identity.fetch(authUrl(changes));
  if (response.status !== 302) throw new Error(`authorize answered ${response.status}: ${await response.text()}`);
  return response.headers.get('location') ?? '';
}

/** Logs in and gives the final redirect. */
export async function login(
  identity: TestIdentity,
  changes: Record<string, string | undefined> = {},
): Promise<Response> {
  return await identity.post(await openLogin(identity, changes), { login: 'admin@kubeflow.org', password: 'password' });
}

export async function loginForCode(
  identity: TestIdentity,
  changes: Record<string, string | undefined> = {},
): Promise<string> {
  return locationOf(await login(identity, changes)).searchParams.get('code') ?? '';
}

export function basic(id: string, secret: string): Record<string, string> {
  const encode = (text: string): string => encodeURIComponent(text);
  return { authorization: `Basic ${Buffer.from(`${encode(id)}:${encode(secret)}`).toString('base64')}` };
}

export interface Tokens {
  readonly access_token: string;
  readonly id_token: string;
  readonly refresh_token?: string;
  readonly expires_in: number;
  readonly error?: string;
}

export async function redeem(
  identity: TestIdentity,
  code: string,
  changes: Record<string, string> = {},
): Promise<Response> {
  const form = { grant_type: 'authorization_code', code, redirect_uri: '/login/oidc', ...changes };
  return await identity.post('/dex/token', form, basic('app', 's3cret'));
}

export async function loginForTokens(
  identity: TestIdentity,
  changes: Record<string, string | undefined> = {},
): Promise<Tokens> {
  const response = await redeem(identity, await loginForCode(identity, changes));
  return (await response.json()) as Tokens;
}

export function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;
}
