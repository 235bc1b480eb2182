/** Owns load on a server and its price: wrk from outside, CPU seconds of the processes under test out of /proc. */
import { execFile, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface Target {
  readonly name: string;
  readonly url: string;
  /** Whose CPU time counts. */
  readonly pids: readonly number[];
  readonly headers?: readonly string[];
  /** HTTP/2, 16 connections of 4 streams, by h2load; otherwise wrk. */
  readonly http2?: boolean;
}

export interface Measured {
  readonly requests: number;
  readonly perSecond: number;
  readonly perCpuSecond: number;
  /** Answers other than 2xx and 3xx, and connections that broke. */
  readonly wrong: number;
}

/** Why no load can be made here. */
export function whyNoLoad(): string | false {
  if (process.platform !== 'linux') return 'CPU times are read from /proc';
  return spawnSync('wrk', ['-v']).error === undefined ? false : 'wrk is not installed (sudo apt-get install wrk)';
}

/** Why no load can be made over HTTP/2. */
export function whyNoHttp2Load(): string | false {
  if (spawnSync('h2load', ['--version']).error === undefined) return false;
  return 'h2load is not installed (sudo apt-get install nghttp2-client)';
}

/** Read before anything is pinned: afterwards it would be 1. */
const CORES = availableParallelism();
const PINS = CORES > 1 && spawnSync('taskset', ['-V']).error === undefined;

/** Keeps a process on one core: what is under test on core 0, what makes and takes the load on core 1; `any` frees it. Without taskset, nothing. */
export function pin(pid: number, core: 0 | 1 | 'any'): void {
  const cores = core === 'any' ? `0-${CORES - 1}` : String(core);
  if (PINS) spawnSync('taskset', ['-a', '-c', '-p', cores, String(pid)]);
}

export interface Rounds {
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds?: number;
  /** Load before each round that is not counted: V8 gives compiled code back while a process rests, and makes it again when work comes. */
  readonly leadInSeconds?: number;
}

/**
 * Measures each target in turn, `rounds` times, after a warm-up (a second each, or as said); gives all rounds of each. 64 keep-alive connections. The processes
 * under test share core 0 and wrk has core 1, so that rates do not depend on who was scheduled where.
 */
export async function measureInTurn(
  targets: readonly Target[],
  { rounds, seconds, warmUpSeconds = 1, leadInSeconds = 0 }: Rounds,
): Promise<Measured[][]> {
  for (const pid of targets.flatMap(({ pids }) => pids)) pin(pid, 0);
  for (const target of targets) await measure(target, warmUpSeconds);
  const results: Measured[][] = targets.map(() => []);
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, target] of targets.entries()) {
      if (leadInSeconds > 0) await measure(target, leadInSeconds);
      results[index]?.push(await measure(target, seconds));
    }
  }
  return results;
}

async function measure(target: Target, seconds: number): Promise<Measured> {
  return target.http2 === true ? await measureHttp2(target, seconds) : await measureHttp1(target, seconds);
}

/** h2load counts what was answered, by class of status, and what failed: all of it is looked at. */
async function measureHttp2({ url, pids, headers = [] }: Target, seconds: number): Promise<Measured> {
  const before = cpuSeconds(pids);
  const flags = ['-t1', '-c16', '-m4', `-D${seconds}`, ...headers.flatMap((header) => ['-H', header])];
  const [command, ...args] = [...(PINS ? ['taskset', '-c', '1'] : []), 'h2load', ...flags, url] as const;
  const { stdout } = await run(command, args);
  const cpu = cpuSeconds(pids) - before;
  const read = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? 0);
  const good = read(/status codes: (\d+) 2xx/);
  const other = [...(/status codes: .*/.exec(stdout)?.[0] ?? '').matchAll(/(\d+) [345]xx/g)];
  const wrong =
    other.reduce((sum, [, count]) => sum + Number(count), 0) + read(/(\d+) errored/) + read(/(\d+) timeout/);
  return { requests: good, perSecond: good / seconds, perCpuSecond: good / cpu, wrong };
}

async function measureHttp1({ url, pids, headers = [] }: Target, seconds: number): Promise<Measured> {
  const before = cpuSeconds(pids);
  const flags = ['-t1', '-c64', `-d${seconds}s`, ...headers.flatMap((header) => ['-H', header])];
  const [command, ...args] = [...(PINS ? ['taskset', '-c', '1'] : []), 'wrk', ...flags, url] as const;
  const { stdout } = await run(command, args);
  const cpu = cpuSeconds(pids) - before;
  const read = (pattern: RegExp): number => Number(pattern.exec(stdout)?.[1] ?? 0);
  const requests = read(/(\d+) requests in/);
  const broken = [...stdout.matchAll(/(?:connect|read|write|timeout) (\d+)/g)];
  return {
    requests,
    perSecond: read(/Requests\/sec:\s+([\d.]+)/),
    perCpuSecond: requests / cpu,
    wrong: read(/Non-2xx or 3xx responses: (\d+)/) + broken.reduce((sum, [, count]) => sum + Number(count), 0),
  };
}

/** User and system time so far, of all threads; proc_pid_stat(5), fields 14 and 15, in hundredths of a second. */
function cpuSeconds(pids: readonly number[]): number {
  const ticks = pids.map((pid) => {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(fields[11]) + Number(fields[12]);
  });
  return ticks.reduce((sum, value) => sum + value, 0) / 100;
}
