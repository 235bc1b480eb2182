import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeCase } from './differential/make-case.ts';
import { makeMergeCase } from './differential/make-merge-case.ts';
import { makeYamlCase } from './differential/make-yaml-case.ts';
import { compare, eachOf, hasKubectl } from './differential/oracle.ts';

const available = await hasKubectl();
const skip = available ? false : 'no kubectl with kustomize 5.5 on the PATH';

async function agree(seeds: readonly number[], make: typeof makeCase): Promise<void> {
  await eachOf(seeds, 2, async (seed) => {
    const verdict = await compare(make(seed));
    if (verdict.kind === 'different') assert.equal(verdict.actual, verdict.expected, `seed ${seed}`);
    assert.notEqual(verdict.kind, 'only we refuse', `seed ${seed}: ${verdict.actual}`);
  });
}

const seeds = (from: number, count: number): number[] => Array.from({ length: count }, (_, index) => from + index);

test('random kustomizations build as with kubectl', { skip }, () => agree(seeds(0, 70), makeCase));
test('random YAML is read and written as by kubectl', { skip }, () => agree(seeds(0, 40), makeYamlCase));
test('random strategic merges come out as with kubectl', { skip }, () => agree(seeds(0, 40), makeMergeCase));
