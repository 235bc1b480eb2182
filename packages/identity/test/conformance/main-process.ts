/** Owns the program in a process of its own: run to its end, or serving until a section ends. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Servers } from './servers.ts';

const MAIN = path.join(import.meta.dirname, '../../src/main.ts');

export function folderOf(servers: Servers): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'identity-process-'));
  servers.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export function fileOf(servers: Servers, text: string): string {
  const file = path.join(folderOf(servers), 'config.yaml');
  writeFileSync(file, text);
  return file;
}

export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export async function runMain(args: readonly string[], env: Record<string, string> = {}): Promise<Ran> {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...process.env, ...env }, stdio: 'pipe' });
  const texts = { out: '', err: '' };
  child.stdout.on('data', (chunk: Buffer) => (texts.out += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (texts.err += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  return { code, ...texts };
}

/** Serves until the section ends; gives what it logged until then. */
export async function serveMain(
  servers: Servers,
  args: readonly string[],
  isReady: (log: string) => boolean,
): Promise<string> {
  const child = spawn(process.execPath, [MAIN, 'serve', ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  servers.after(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'close');
  });
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (isReady(log)) resolve();
    });
    child.once('exit', () => reject(new Error(`it ended: ${log}`)));
  });
  return log;
}

export const portOf: (log: string) => string = (log) => /serving .*port=(\d+)/.exec(log)?.[1] ?? '';

export function certificateOf(folder: string): { readonly cert: string; readonly key: string } {
  const [cert, key] = [path.join(folder, 'tls.crt'), path.join(folder, 'tls.key')];
  const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  const names = ['-subj', '/CN=localhost', '-days', '2'];
  execFileSync('openssl', ['req', '-x509', ...kind, '-keyout', key, '-out', cert, ...names], { stdio: 'ignore' });
  return { cert, key };
}
