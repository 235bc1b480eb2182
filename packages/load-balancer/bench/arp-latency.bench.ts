/** ARP answers beside the kernel's own, on the same wire in the same run, while the announcing process's main thread is 80 % busy. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { printTable } from '../../../bench/table.ts';
import { runInNamespace, whyNoBed } from '../bed/in-namespace.ts';

interface Measured {
  readonly idleCpuMs: number;
  readonly owningCpuMs: number;
  readonly rssMb: number;
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
  const { idleCpuMs, owningCpuMs, rssMb, kernel, ours } = JSON.parse(
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
      ['resident memory, MB', rssMb],
      ['CPU in 5 s, owning nothing, ms', idleCpuMs],
      ['CPU in 5 s, owning an address (lease renewed each 0.7 s), ms', owningCpuMs],
    ],
  );
}
