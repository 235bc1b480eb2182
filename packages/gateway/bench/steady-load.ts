/** Owns load at a fixed rate: how long answers take when the server is not at its limit. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

const run = promisify(execFile);

export interface Steady {
  readonly sent: number;
  /** Other than 200, or missing. */
  readonly wrong: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const CONNECTIONS = 32;
const RATE_OF_EACH = 40;

/** 1,280 requests a second over HTTP/1.1, by h2load, which logs each request: start, status, microseconds. */
export async function measureSteady(url: string, header: string, seconds: number): Promise<Steady> {
  const directory = await mkdtemp(path.join(tmpdir(), 'steady-'));
  const log = path.join(directory, 'log');
  const total = CONNECTIONS * RATE_OF_EACH * seconds;
  try {
    const flags = ['--h1', '-t1', `-c${CONNECTIONS}`, `--rps=${RATE_OF_EACH}`, `-n${total}`, `--log-file=${log}`];
    await run('taskset', ['-c', '1', 'h2load', ...flags, '-H', header, url]);
    const rows = (await readFile(log, 'utf8'))
      .trimEnd()
      .split('\n')
      .map((line) => line.split('\t'));
    const good = rows.filter(([, status]) => status === '200');
    const times = good.map(([, , micros]) => Number(micros) / 1000).toSorted((left, right) => left - right);
    const at = (share: number): number => times[Math.floor(times.length * share)] ?? Number.NaN;
    return { sent: total, wrong: total - good.length, p50Ms: at(0.5), p99Ms: at(0.99) };
  } finally {
    await rm(directory, { recursive: true });
  }
}
