/** Owns real redis-server processes for tests: plain or TLS, kept on disk over restarts, with a replica and sentinels where asked. */
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import path from 'node:path';
import type { CleansUp } from './front-door/cleanup.ts';
import { freePort, startProgram, temporaryDirectory, until, untilListening } from './front-door/programs.ts';
import type { Program } from './front-door/programs.ts';

export const noRedis: string | false =
  spawnSync('redis-server', ['--version']).error === undefined ? false : 'no redis-server (Debian: redis-server)';

export const REDIS_PASSWORD = 'redis-password';

export interface RedisUnderTest {
  readonly port: number;
  readonly pid: () => number;
  /** SIGKILL; data that was written is kept. */
  kill(): Promise<void>;
  /** Again on the same port, with what was kept. */
  start(): Promise<void>;
}

export interface RedisOptions {
  /** Serves TLS only, with this certificate. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  /** Follows the server on this port. */
  readonly replicaOf?: number;
}

export async function startRedis(cleanup: CleansUp, { tls, replicaOf }: RedisOptions = {}): Promise<RedisUnderTest> {
  const [port, dir] = [await freePort(), await temporaryDirectory(cleanup)];
  const settings = {
    ...(tls === undefined
      ? { port }
      : {
          port: 0,
          'tls-port': port,
          'tls-cert-file': tls.certFile,
          'tls-key-file': tls.keyFile,
          'tls-auth-clients': 'no',
        }),
    ...(replicaOf === undefined ? {} : { replicaof: `127.0.0.1 ${replicaOf}`, masterauth: REDIS_PASSWORD }),
    bind: '127.0.0.1',
    dir,
    requirepass: REDIS_PASSWORD,
    save: '',
    appendonly: 'yes',
    appendfsync: 'no',
  };
  const flags = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)]);
  let program: Program;
  const start = async (): Promise<void> => {
    program = startProgram(cleanup, ['redis-server', ...flags]);
    await untilListening(port, program);
  };
  await start();
  return { port, pid: () => program.pid, kill: () => program.kill(), start };
}

/** A sentinel that watches `mymaster`, takes it for lost after a moment, and decides alone. Resolves when it knows a replica. */
export async function startSentinel(cleanup: CleansUp, masterPort: number): Promise<number> {
  const [port, dir] = [await freePort(), await temporaryDirectory(cleanup)];
  const file = path.join(dir, 'sentinel.conf');
  await writeFile(
    file,
    `port ${port}
bind 127.0.0.1
dir ${dir}
sentinel monitor mymaster 127.0.0.1 ${masterPort} 1
sentinel auth-pass mymaster ${REDIS_PASSWORD}
sentinel down-after-milliseconds mymaster 300
sentinel failover-timeout mymaster 3000
`,
  );
  const program = startProgram(cleanup, ['redis-server', file, '--sentinel']);
  await untilListening(port, program);
  // It writes what it finds into its file.
  await until(program, async () => (await readFile(file, 'utf8')).includes('known-replica'));
  return port;
}

/** One command over a plain connection; gives the raw answer. */
export async function askRedis(port: number, ...command: readonly string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  const encode = (words: readonly string[]): string =>
    `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
  socket.write(encode(['AUTH', REDIS_PASSWORD]) + encode(command) + encode(['QUIT']));
  let answer = '';
  for await (const chunk of socket) answer += String(chunk);
  return answer.replace(/^\+OK\r\n/, '').replace(/\+OK\r\n$/, '');
}
