/** Owns the processes behind a data plane: our identity provider, with one person, and our AuthService. */
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { CleansUp } from './cleanup.ts';
import { freePort, startProgram, temporaryDirectory, until, untilListening } from './programs.ts';
import type { Program } from './programs.ts';

const PACKAGES = path.join(import.meta.dirname, '../../..');
const CLIENT_ID = 'kubeflow-authservice-oidc';
/** Of the client that the AuthService is. */
export const CLIENT_SECRET: string = 'a client secret of the test';

export const ASSERTION_KEY: string = 'a'.repeat(44);
export const USER = 'admin@kubeflow.org';
export const PASSWORD = 'password';
/** bcrypt cost 10 of PASSWORD. */
const HASH = '$2y$10$uK9tzAHwz1xVE3s9JoMdLOd/vTogYo/.DJfRtxpv/sB4U/k2Dr5Fe';

/** What its configuration file holds besides what every test needs. */
export interface IdentityOptions {
  /** Whole lines. */
  readonly sections?: string;
  /** More of the one client, beginning with a comma. */
  readonly client?: string;
}

export async function startIdentity(
  cleanup: CleansUp,
  { sections = '', client = '' }: IdentityOptions = {},
): Promise<number> {
  const [port, directory] = [await freePort(), await temporaryDirectory(cleanup)];
  const file = path.join(directory, 'config.yaml');
  await writeFile(
    file,
    `issuer: http://127.0.0.1:${port}/dex
storage: {type: sqlite3, config: {file: "${directory}/identity.db"}}
web: {http: "127.0.0.1:${port}"}
telemetry: {http: "127.0.0.1:0"}
oauth2: {skipApprovalScreen: true}
enablePasswordDB: true
staticPasswords:
- {email: ${USER}, hash: "${HASH}", username: admin, userID: "1"}
staticClients:
- {id: ${CLIENT_ID}, name: Platform, secret: "${CLIENT_SECRET}", redirectURIs: [/login/oidc]${client}}
${sections}`,
  );
  const program = startProgram(cleanup, [process.execPath, `${PACKAGES}/identity/src/main.ts`, 'serve', file]);
  await untilListening(port, program);
  return port;
}

export interface AuthServiceProcess extends Program {
  readonly port: number;
}

export async function startAuthService(
  cleanup: CleansUp,
  identityPort: number,
  more: Readonly<Record<string, string>> = {},
): Promise<AuthServiceProcess> {
  const [port, readinessPort] = [Number(more['SERVER_PORT'] ?? (await freePort())), await freePort()];
  const directory = await temporaryDirectory(cleanup);
  const program = startProgram(cleanup, [process.execPath, `${PACKAGES}/authservice/src/main.ts`], {
    OIDC_PROVIDER: `http://127.0.0.1:${identityPort}/dex`,
    OIDC_AUTH_URL: '/dex/auth',
    OIDC_SCOPES: 'openid profile email groups',
    REDIRECT_URL: '/login/oidc',
    CLIENT_ID,
    CLIENT_SECRET,
    SKIP_AUTH_URI: '/dex /open',
    SESSION_STORE_TYPE: 'file',
    SESSION_STORE_PATH: path.join(directory, 'sessions.db'),
    SESSION_ENCRYPTION_KEY: 'k'.repeat(44),
    IDENTITY_ASSERTION_KEY: ASSERTION_KEY,
    SERVER_HOSTNAME: '127.0.0.1',
    SERVER_PORT: String(port),
    READINESS_PROBE_PORT: String(readinessPort),
    VERIFY_METHOD_HEADER: 'x-original-method',
    ...more,
  });
  await untilListening(port, program);
  await until(program, async () => (await fetch(`http://127.0.0.1:${readinessPort}/`)).ok);
  return { ...program, port };
}
