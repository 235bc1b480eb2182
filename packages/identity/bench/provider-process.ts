/** Owns the provider under measurement: a process of its own on core 0, its CPU time and its memory. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { hash } from '@node-rs/bcrypt';
import { pin } from '../../../bench/load.ts';

const MAIN = path.join(import.meta.dirname, '../src/main.ts');

/** Of these, so that each has as many refresh tokens as a person may have. */
export const PEOPLE: readonly string[] = ['a@b.c', 'd@b.c', 'e@b.c', 'f@b.c'];

export interface ProviderOptions {
  readonly algorithm?: 'RS256' | 'ES256';
  /** As in YAML, after `storage:`; `$DIRECTORY` is a directory that goes with the process. */
  readonly storage?: string;
  /** More sections of the file. */
  readonly more?: string;
}

export interface MeasuredProcess {
  readonly origin: string;
  readonly pid: number;
  cpuSeconds(): number;
  stop(): Promise<void>;
}

export async function startProvider(options: ProviderOptions = {}): Promise<MeasuredProcess> {
  const directory = mkdtempSync(path.join(tmpdir(), 'identity-bench-'));
  const file = path.join(directory, 'config.yaml');
  const { algorithm = 'ES256', storage = '{type: memory}', more = '' } = options;
  const known = await hash('password', 10);
  const people = PEOPLE.map((email, index) => `{email: ${email}, hash: "${known}", username: a, userID: "${index}"}`);
  writeFileSync(
    file,
    `issuer: http://bench/dex
storage: ${storage.replaceAll('$DIRECTORY', directory)}
web: {http: "127.0.0.1:0"}
oauth2: {skipApprovalScreen: true, alwaysShowLoginScreen: true}
signer: {config: {algorithm: ${algorithm}}}
logger: {level: info, format: json}
enablePasswordDB: true
staticPasswords: [${people.join(', ')}]
staticClients: [{id: app, name: App, secret: secret, redirectURIs: [/cb]}]
${more}`,
  );
  const flags = (process.env['BENCH_NODE_FLAGS'] ?? '').split(' ').filter((flag) => flag !== '');
  const served = await startServer([...flags, MAIN, 'serve', file], /"msg":"serving".*?"port":(\d+)/);
  return {
    ...served,
    stop: async () => {
      await served.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Starts a program of ours and waits for the line that tells its port. */
export async function startServer(args: readonly string[], tells: RegExp): Promise<MeasuredProcess> {
  const child = spawn(process.execPath, [...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  const port = await untilTold(child, tells);
  const pid = child.pid ?? 0;
  return {
    origin: `http://127.0.0.1:${port}`,
    pid,
    cpuSeconds: () => cpuSeconds(pid),
    stop: async () => {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
    },
  };
}

/** Its output is read on: a pipe that nobody empties would stop the process. */
function untilTold(child: ChildProcess, tells: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = '';
    const read = (chunk: Buffer): void => {
      if (seen.length > 100_000) return;
      seen += chunk.toString('utf8');
      const found = tells.exec(seen)?.[1];
      if (found !== undefined) resolve(found);
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', () => reject(new Error(`ended: ${seen.slice(0, 500)}`)));
  });
}

/** From now on the process and its threads stay on core 0; what drives it belongs on core 1. */
export function onCoreZero({ pid }: MeasuredProcess): void {
  pin(pid, 0);
}

/** User and system time so far, all threads; proc_pid_stat(5), in hundredths of a second. */
export function cpuSeconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

export function residentMb({ pid }: MeasuredProcess): number {
  return Math.round((Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * 4096) / 1e6);
}
