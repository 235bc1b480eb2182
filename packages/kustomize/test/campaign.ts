/**
 * A differential campaign of any size: `node packages/kustomize/test/campaign.ts <fields|merge|yaml> <first seed> <count> [folder]` compares the
 * cases of these seeds with the machine's kubectl, prints what came of them and writes every disagreement as a txtar file into the folder.
 */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Case } from './differential/case.ts';
import { makeCase } from './differential/make-case.ts';
import { makeMergeCase } from './differential/make-merge-case.ts';
import { makeYamlCase } from './differential/make-yaml-case.ts';
import { type Verdict, compare, eachOf, hasKubectl } from './differential/oracle.ts';

const makers: Readonly<Record<string, (seed: number) => Case>> = {
  fields: makeCase,
  merge: makeMergeCase,
  yaml: makeYamlCase,
};
const [kind = 'fields', first = '0', count = '1000', folder] = process.argv.slice(2);
const make = makers[kind];
if (make === undefined) throw new Error(`no generator ${kind}; there are ${Object.keys(makers).join(', ')}`);
if (!(await hasKubectl())) throw new Error('no kubectl with kustomize 5.5 on the PATH');

const verdicts = new Map<Verdict['kind'], number>();
const seeds = Array.from({ length: Number(count) }, (_, index) => Number(first) + index);
await eachOf(seeds, 1, async (seed) => {
  const one = make(seed);
  const verdict = await compare(one);
  verdicts.set(verdict.kind, (verdicts.get(verdict.kind) ?? 0) + 1);
  if (verdict.kind === 'different' || verdict.kind === 'only we refuse') report(seed, one, verdict);
});
process.stdout.write(`${[...verdicts].map(([name, times]) => `${name}: ${times}`).join(', ')}\n`);
process.exitCode = verdicts.has('different') || verdicts.has('only we refuse') ? 1 : 0;

function report(seed: number, one: Case, verdict: Verdict): void {
  process.stdout.write(`seed ${seed}: ${verdict.kind}\n`);
  if (folder === undefined) return;
  mkdirSync(folder, { recursive: true });
  const files = Object.entries(one.files).map(([path, content]) => `-- ${path} --\n${content}`);
  const text = `${files.join('')}-- kubectl --\n${verdict.expected}-- ours --\n${verdict.actual}`;
  writeFileSync(join(folder, `${kind}-${seed}.txtar`), text);
}
