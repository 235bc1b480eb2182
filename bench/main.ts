/** Runs the benchmarks (all, or those named) one after the other and prints their tables. */
import { globSync } from 'node:fs';
import path from 'node:path';

interface Bench {
  /** Prints its table. */
  run(): Promise<void>;
}

const root = path.dirname(import.meta.dirname);
const wanted = process.argv.slice(2);
const files = globSync(['bench/*.bench.ts', 'packages/*/bench/*.bench.ts'], { cwd: root }).toSorted();

for (const file of files) {
  const name = path.basename(file, '.bench.ts');
  if (wanted.length > 0 && !wanted.includes(name)) continue;
  process.stdout.write(`\n## ${name}\n\n`);
  const bench = (await import(path.join(root, file))) as Bench;
  await bench.run();
}
