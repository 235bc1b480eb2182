/** Owns a real PostgreSQL server for tests: Debian's, on a socket and a free loopback port, with its data in a temporary directory. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, globSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';

const BIN = globSync('/usr/lib/postgresql/*/bin').findLast((directory) => existsSync(path.join(directory, 'initdb')));
interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

const isRoot = process.getuid?.() === 0;
// The server refuses to run as root.
const account: Account | undefined = isRoot ? findAccount() : {};

/** Why tests with PostgreSQL cannot run here; undefined when they can. */
export const POSTGRES_MISSING: string | undefined =
  BIN === undefined
    ? 'PostgreSQL is not installed (apt-get install postgresql)'
    : account === undefined
      ? 'PostgreSQL does not run as root and there is no user postgres'
      : undefined;

export interface PostgresServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  createDatabase(name: string): void;
  remove(): Promise<void>;
}

export async function startPostgres(): Promise<PostgresServer> {
  const directory = mkdtempSync(path.join(tmpdir(), 'postgres-'));
  if (account?.uid !== undefined) chownSync(directory, account.uid, account.gid ?? account.uid);
  const run = (program: string, args: readonly string[], input = ''): string =>
    execFileSync(path.join(BIN ?? '', program), [...args], {
      ...account,
      cwd: directory,
      input,
      encoding: 'utf8',
      env: { PATH: '/usr/bin:/bin', LC_ALL: 'C.UTF-8', PGPASSWORD: 'test-password' },
      stdio: ['pipe', 'pipe', 'ignore'],
    });
  const data = path.join(directory, 'data');
  execFileSync('/bin/sh', ['-c', 'umask 077; printf test-password > password'], { ...account, cwd: directory });
  run('initdb', ['-D', data, '-U', 'dex', '--no-sync', '-A', 'scram-sha-256', '--pwfile=password']);
  const port = await freePort();
  const settings = [
    'fsync=off',
    'max_connections=40',
    'shared_buffers=16MB',
    `port=${port}`,
    'listen_addresses=127.0.0.1',
  ];
  const args = ['-D', data, '-k', directory, ...settings.flatMap((setting) => ['-c', setting])];
  const server = spawn(path.join(BIN ?? '', 'postgres'), args, { ...account, cwd: directory, stdio: 'ignore' });
  const isReady = (): boolean => {
    try {
      run('pg_isready', ['-q', '-h', directory, '-p', String(port)]);
      return true;
    } catch {
      return false;
    }
  };
  while (!isReady()) {
    if (server.exitCode !== null) throw new Error(`postgres ended with ${server.exitCode}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    host: '127.0.0.1',
    port,
    user: 'dex',
    password: 'test-password',
    createDatabase: (name) => void run('createdb', ['-h', directory, '-p', String(port), '-U', 'dex', name]),
    remove: async () => {
      if (server.exitCode === null) {
        server.kill('SIGQUIT');
        await once(server, 'exit');
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function findAccount(): Account | undefined {
  try {
    const id = (flag: string): number =>
      Number(execFileSync('id', [flag, 'postgres'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }));
    return { uid: id('-u'), gid: id('-g') };
  } catch {
    return undefined;
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
