/** ARP answers beside the kernel's own, on the same wire in the same run, while the announcing process's main thread is 80 % busy. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { printTable } from '../../../bench/table.ts';
import { runInNamespace, whyNoBed } from '../bed/in-namespace.ts';

interface Measured {
  readonly idleCpuMs: number;
  readonly owningCpuMs: number;
  /** Megabytes: resident, and of it what is the process's own (not pages of files). */
  readonly nothing: { readonly rss: number; readonly own: number };
  readonly full: { readonly rss: number; readonly own: number };
  readonly floods: readonly { readonly kind: string; readonly perSecond: number; readonly cpuMs: number }[];
  readonly kernel: readonly number[];
  readonly ours: readonly number[];
}

export async function run(): Promise<void> {
  const why = whyNoBed();
  if (why !== false) {
    process.stdout.write(`skipped: ${why}\n`);
    return;
  }
  const cache = mkdtempSync(path.join(tmpdir(), 'load-balancer-bench-'));
  const output = await runInNamespace('./latency-bed.ts', [cache]).finally(() => rmSync(cache, { recursive: true }));
  const { idleCpuMs, owningCpuMs, nothing, full, floods, kernel, ours } = JSON.parse(
    output.trim().split('\n').at(-1) ?? '',
  ) as Measured;
  const row = (name: string, times: readonly number[]): (string | number)[] => {
    const sorted = times.toSorted((left, right) => left - right);
    const at = (part: number): string => `${Math.round(sorted[Math.floor(sorted.length * part)] ?? Number.NaN)}`;
    return [name, sorted.length, at(0), at(0.5), at(0.9), at(0.99)];
  };
  printTable(
    ['who answers (microseconds)', 'answers', 'min', 'median', 'p90', 'p99'],
    [row('the kernel, its own address', kernel), row('the speaker, one of 500, main thread 80 % busy', ours)],
  );
  process.stdout.write('\n');
  printTable(
    ['speaker process', 'value'],
    [
      ['resident memory owning nothing, MB (its own)', `${nothing.rss} (${nothing.own})`],
      ['resident memory announcing 500 addresses, MB (its own)', `${full.rss} (${full.own})`],
      ['CPU in 5 s, owning nothing, ms', idleCpuMs],
      ['CPU in 5 s, announcing 500 addresses (lease renewed each 0.7 s), ms', owningCpuMs],
    ],
  );
  process.stdout.write('\n');
  const words: Readonly<Record<string, string>> = {
    others: 'requests for addresses of others',
    hostile: 'claims, truncated and random frames, requests',
    ours: 'requests for an announced address',
  };
  printTable(
    ['flood of 250,000 frames', 'frames/s sent', 'CPU of the speaker, ms', '% of a core'],
    floods.map(({ kind, perSecond, cpuMs }) => {
      const seconds = 250_000 / perSecond;
      return [words[kind] ?? kind, perSecond, cpuMs, ((cpuMs / seconds / 1000) * 100).toFixed(1)];
    }),
  );
}
