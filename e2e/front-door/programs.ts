/** Owns the processes behind a data plane: our identity provider, our AuthService, an application that keeps what it got. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const PACKAGES = path.join(import.meta.dirname, '../../packages');
const CLIENT_ID = 'kubeflow-authservice-oidc';
const CLIENT_SECRET = 'a client secret of the test';

export const ASSERTION_KEY: string = 'a'.repeat(44);
export const USER = 'admin@kubeflow.org';
export const PASSWORD = 'password';
/** bcrypt cost 10 of PASSWORD. */
const HASH = '$2y$10$uK9tzAHwz1xVE3s9JoMdLOd/vTogYo/.DJfRtxpv/sB4U/k2Dr5Fe';

/** What ends, last started first. */
export class Cleanup {
  readonly #steps: (() => Promise<unknown> | void)[] = [];

  add(step: () => Promise<unknown> | void): void {
    this.#steps.push(step);
  }

  async run(): Promise<void> {
    for (const step of this.#steps.splice(0).reverse()) await step();
  }
}

export interface Program {
  readonly pid: number;
  /** What it wrote to stderr. */
  readonly output: () => string;
  kill(): Promise<void>;
}

export function startProgram(
  cleanup: Cleanup,
  [command, ...args]: readonly [string, ...string[]],
  env: Readonly<Record<string, string>> = {},
): Program {
  const pathVariable = `${process.env['PATH']}:/usr/sbin`;
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env, PATH: pathVariable },
  });
  let output = '';
  child.on('error', (error) => void (output += error.message));
  child.stderr.on('data', (chunk: Buffer) => void (output += chunk.toString()));
  const ended = once(child, 'exit').catch(() => undefined);
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await ended;
  };
  cleanup.add(kill);
  return { pid: child.pid ?? 0, output: () => output, kill };
}

export async function temporaryDirectory(cleanup: Cleanup): Promise<string> {
  const directory = await mkdtemp(path.join(tmpdir(), 'kfctl-front-door-'));
  cleanup.add(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

export async function startIdentity(cleanup: Cleanup): Promise<number> {
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
- {id: ${CLIENT_ID}, name: Platform, secret: "${CLIENT_SECRET}", redirectURIs: [/login/oidc]}
`,
  );
  const program = startProgram(cleanup, [process.execPath, `${PACKAGES}/identity/src/main.ts`, 'serve', file]);
  await untilListening(port, program);
  return port;
}

export interface AuthServiceProcess extends Program {
  readonly port: number;
}

export async function startAuthService(cleanup: Cleanup, identityPort: number): Promise<AuthServiceProcess> {
  const [port, readinessPort] = [await freePort(), await freePort()];
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
  });
  await untilListening(port, program);
  await until(program, async () => (await fetch(`http://127.0.0.1:${readinessPort}/`)).ok);
  return { ...program, port };
}

export interface Seen {
  readonly url: string;
  readonly method: string;
  readonly rawHeaders: readonly string[];
}

export interface Application {
  readonly port: number;
  readonly seen: Seen[];
}

/** Answers "application"; upgrades to WebSocket with 101 and an end. */
export async function startApplication(cleanup: Cleanup): Promise<Application> {
  const seen: Seen[] = [];
  const server = createServer((request, response) => {
    seen.push({ url: request.url ?? '', method: request.method ?? '', rawHeaders: request.rawHeaders });
    response.end('application');
  });
  server.on('upgrade', (request, socket) => {
    seen.push({ url: request.url ?? '', method: request.method ?? '', rawHeaders: request.rawHeaders });
    socket.on('error', () => undefined);
    socket.end('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanup.add(() => {
    server.close();
    server.closeAllConnections();
  });
  return { port: (server.address() as AddressInfo).port, seen };
}

export async function freePort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

export async function untilListening(port: number, program: Pick<Program, 'output'>): Promise<void> {
  await until(program, () => canConnect(port));
}

async function until(program: Pick<Program, 'output'>, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await isSo()); tries += 1) {
    if (tries > 1_000) throw new Error(`a program did not get ready: ${program.output()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => resolve(false));
    socket.on('connect', () => {
      socket.destroy();
      resolve(true);
    });
  });
}
