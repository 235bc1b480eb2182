import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fieldNames, makeCase } from '../differential/make-case.ts';
import { makeMergeCase } from '../differential/make-merge-case.ts';
import { makeYamlCase } from '../differential/make-yaml-case.ts';
import { type Verdict, compare, eachOf, hasKubectl } from '../differential/oracle.ts';

const available = await hasKubectl();
const skip = available ? false : 'no kubectl with kustomize 5.5 on the PATH';

async function agree(count: number, make: typeof makeCase): Promise<ReadonlyMap<Verdict['kind'], number>> {
  const kinds = new Map<Verdict['kind'], number>();
  const failures: string[] = [];
  await eachOf(
    Array.from({ length: count }, (_, seed) => seed),
    2,
    async (seed) => {
      const verdict = await compare(make(seed));
      kinds.set(verdict.kind, (kinds.get(verdict.kind) ?? 0) + 1);
      if (verdict.kind === 'different')
        failures.push(`seed ${seed}\n${verdict.expected}\nbut ours:\n${verdict.actual}`);
      if (verdict.kind === 'only we refuse') failures.push(`seed ${seed}: ${verdict.actual}`);
    },
  );
  assert.deepEqual(failures, []);
  return kinds;
}

test('2500 kustomizations with all fields and pairs of fields build as with kubectl', { skip }, async () => {
  const kinds = await agree(2500, makeCase);
  assert.ok(2500 >= fieldNames.length ** 2);
  assert.ok((kinds.get('same') ?? 0) >= 1250, `only ${kinds.get('same')} cases were accepted by both`);
});

test('1500 YAML files are read and written as by kubectl', { skip }, async () => {
  await agree(1500, makeYamlCase);
});

test('600 strategic merges with directives, odd keys and odd shapes come out as with kubectl', { skip }, async () => {
  const kinds = await agree(600, makeMergeCase);
  assert.ok((kinds.get('same') ?? 0) >= 360, `only ${kinds.get('same')} cases were accepted by both`);
});
