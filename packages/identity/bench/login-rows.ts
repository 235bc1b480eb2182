/** Owns the rows of logins: of the file beside bcrypt alone, with the waits of others meanwhile; at a directory of 5,000 people. */
import { availableParallelism } from 'node:os';
import { hash, verify } from '@node-rs/bcrypt';
import { median } from '../../../bench/table.ts';
import { ask, logIn } from './log-in.ts';
import { startProvider } from './provider-process.ts';
import type { MeasuredProcess } from './provider-process.ts';

const ROUNDS = 2;
const ROUND_MS = 3000;
/** What the provider computes at most at a time. */
const CAP = Math.min(availableParallelism(), 3);

export async function loginRows(): Promise<string[][]> {
  const provider = await startProvider();
  try {
    const known = await hash('password', 10);
    const person = { connector: 'local', username: 'a@b.c', password: 'password' };
    const waits: number[] = [];
    const [logins, raw]: number[][] = [[], []];
    for (let round = 0; round < ROUNDS; round += 1) {
      raw?.push(await perSecond(CAP, () => verify('password', known)));
      logins?.push(
        await whileWatching(provider, waits, () => perSecond(CAP * 2, () => logIn(provider.origin, person))),
      );
    }
    const [rate, alone] = [median(logins ?? []), median(raw ?? [])];
    const sorted = waits.toSorted((a, b) => a - b);
    const at = (share: number): string => (sorted[Math.floor(sorted.length * share)] ?? 0).toFixed(1);
    return [
      [
        `logins per second, bcrypt cost 10, ${CAP} at once`,
        rate.toFixed(1),
        'bcrypt alone',
        alone.toFixed(1),
        '90 %',
        `${Math.round((rate / alone) * 100)} %`,
      ],
      ['/keys and /healthz meanwhile, p50 / p99', `${at(0.5)} / ${at(0.99)} ms`, '', '', '50 ms', ''],
    ];
  } finally {
    await provider.stop();
  }
}

async function whileWatching<T>({ origin }: MeasuredProcess, waits: number[], work: () => Promise<T>): Promise<T> {
  const done = new AbortController();
  const watching = (async () => {
    for (; !done.signal.aborted; await new Promise((resolve) => setTimeout(resolve, 10))) {
      for (const path of ['/dex/keys', '/dex/healthz']) {
        const begin = performance.now();
        await ask(origin + path);
        waits.push(performance.now() - begin);
      }
    }
  })();
  try {
    return await work();
  } finally {
    done.abort();
    await watching;
  }
}

async function perSecond(lanes: number, work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  let count = 0;
  const drive = async (): Promise<void> => {
    for (; performance.now() < begin + ROUND_MS; count += 1) await work();
  };
  await Promise.all(Array.from({ length: lanes }, drive));
  return count / ((performance.now() - begin) / 1000);
}
