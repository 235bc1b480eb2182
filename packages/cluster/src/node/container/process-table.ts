/**
 * Owns what this machine knows of processes: children, signal handlers, and the identity of a process over time. From /proc; where
 * there is none (macOS), from `ps`.
 */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';

const { promisify } = process.getBuiltinModule('node:util');

async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

/** The oldest child of a process, or undefined when it has none. */
export async function firstChild(pid: number): Promise<number | undefined> {
  if (!(await hasProc())) return firstChildByPs(pid);
  const text = await read(`/proc/${pid}/task/${pid}/children`);
  const child = Number(text?.split(' ', 1)[0]);
  return Number.isInteger(child) && child > 0 ? child : undefined;
}

/** The command line of a process, one item a word; undefined when it does not run. */
export async function commandLine(pid: number): Promise<readonly string[] | undefined> {
  return (await read(`/proc/${pid}/cmdline`))?.replace(/\0$/, '').split('\0');
}

export async function catchesSignal(pid: number, signal: number): Promise<boolean> {
  const mask = /^SigCgt:\s*([0-9a-f]+)/m.exec((await read(`/proc/${pid}/status`)) ?? '')?.[1];
  return mask !== undefined && (BigInt(`0x${mask}`) & (1n << BigInt(signal - 1))) !== 0n;
}

/** What tells this process from a later one with the same number: boot id and start time. Undefined when it does not run. */
export async function processIdentity(pid: number): Promise<string | undefined> {
  if (!(await hasProc())) return identityByPs(pid);
  const [stat, boot] = await Promise.all([read(`/proc/${pid}/stat`), read('/proc/sys/kernel/random/boot_id')]);
  if (stat === undefined) return undefined;
  // The name in parentheses may hold anything; the fields after it are counted from the third on.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' ? undefined : `${boot?.trim() ?? ''} ${fields[19] ?? ''}`;
}

async function hasProc(): Promise<boolean> {
  return (await read('/proc/self/stat')) !== undefined;
}

/** The state and the start time, to the second; undefined when it does not run. */
export async function identityByPs(pid: number): Promise<string | undefined> {
  const [state = '', ...start] = (await ps('-o', 'stat=', '-o', 'lstart=', '-p', String(pid))).trim().split(/\s+/);
  return state === '' || state.startsWith('Z') ? undefined : start.join(' ');
}

export async function firstChildByPs(pid: number): Promise<number | undefined> {
  const pairs = (await ps('-A', '-o', 'pid=', '-o', 'ppid=')).trim().split('\n');
  const children = pairs.map((line) => line.trim().split(/\s+/).map(Number)).filter(([, parent]) => parent === pid);
  return children.map(([child = 0]) => child).toSorted((a, b) => a - b)[0];
}

/** What it prints; nothing when no process is meant. */
async function ps(...args: string[]): Promise<string> {
  const env = { PATH: '/usr/bin:/bin', LC_ALL: 'C' };
  return promisify(execFile)('ps', args, { env }).then(
    ({ stdout }) => stdout,
    () => '',
  );
}
