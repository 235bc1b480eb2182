/**
 * The whole platform on this machine: from an empty state to the login page, the second start, memory and CPU at rest.
 * Beside it stands the floor: as many bare Node processes started together as the platform has.
 */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { createHome, curl, startPlatform } from '../e2e/platform.ts';
import type { Platform } from '../e2e/platform.ts';
import { printTable } from './table.ts';

const REST_SECONDS = 20;

export async function run(): Promise<void> {
  const home = createHome();
  try {
    const first = await timedStart(home.directory);
    await sleep(5000);
    const processes = descendants(first.platform.process.pid ?? 0);
    const memory = processes.map((pid) => residentBytes(pid) / 1e6);
    const cpu = await cpuShare(processes);
    const stopMs = await first.platform.interrupt();
    const second = await timedStart(home.directory);
    await second.platform.interrupt();
    const floorMs = await bareNodes(processes.length);
    printTable(
      ['what', 'measured', 'bar'],
      [
        ['empty state to the login page answering 200', seconds(first.ms), '6 s'],
        ['second start to the login page', seconds(second.ms), '4 s'],
        ['Ctrl-C to the end of the last process', seconds(stopMs), '3 s'],
        [
          `resident memory of ${processes.length} processes at rest`,
          `${Math.round(memory.reduce((a, b) => a + b, 0))} MB`,
          '600 MB',
        ],
        ['CPU at rest, share of one core', `${(cpu * 100).toFixed(1)} %`, '3 %'],
        [`floor: ${processes.length} bare Node processes started together`, seconds(floorMs), ''],
      ],
    );
    process.stdout.write('\n');
    printTable(
      ['process', 'resident MB'],
      processes.map((pid, index) => [commandOf(pid, index), Math.round(memory[index] ?? 0)]),
    );
  } finally {
    home.remove();
  }
}

const names = new Map<number, string>();

interface TimedStart {
  readonly platform: Platform;
  readonly ms: number;
}

async function timedStart(home: string): Promise<TimedStart> {
  const begin = performance.now();
  const platform = await startPlatform(home);
  let status = '';
  while (!status.startsWith('200')) {
    status = curl('-L', '-o', '/dev/null', '-w', '%{http_code}', '-H', 'accept: text/html', platform.url).stdout;
  }
  return { platform, ms: performance.now() - begin };
}

/** The process and everything below it. */
function descendants(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = readProc(entry, 'stat');
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)]);
  }
  const all = [root];
  for (const pid of all) all.push(...(children.get(pid) ?? []));
  for (const pid of all)
    names.set(
      pid,
      readProc(pid, 'cmdline')
        .split('\0')
        .slice(1)
        .join(' ')
        .replaceAll(/\S*\/packages\//g, '')
        .slice(0, 60),
    );
  return all.filter((pid) => residentBytes(pid) > 0);
}

function readProc(pid: number | string, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}

function commandOf(pid: number, index: number): string {
  return names.get(pid) ?? String(index);
}

function residentBytes(pid: number): number {
  return Number(readProc(pid, 'statm').split(' ')[1] ?? 0) * 4096;
}

/** Seconds of CPU a second that the processes use while nobody asks anything. */
async function cpuShare(pids: readonly number[]): Promise<number> {
  const ticks = (): number =>
    pids.reduce((sum, pid) => {
      const stat = readProc(pid, 'stat');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return sum + Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
    }, 0);
  const before = ticks();
  await sleep(REST_SECONDS * 1000);
  return (ticks() - before) / 100 / REST_SECONDS;
}

async function bareNodes(count: number): Promise<number> {
  const begin = performance.now();
  await Promise.all(
    Array.from(
      { length: count },
      () => new Promise((resolve) => spawn(process.execPath, ['-e', '0']).on('exit', resolve)),
    ),
  );
  return performance.now() - begin;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`;
}
