/** patches, patchesStrategicMerge and patchesJson6902: inline and in files, with targets and options. */

import { type Fields, type Scope, meta, splitApiVersion, text } from './case.ts';
import type { Obj } from './make-objects.ts';
import { makeJsonPatch, makeStrategicPatch } from './make-patch.ts';
import { makeTarget } from './make-target.ts';
import type { Random } from './random.ts';
import { type Value, writeYaml } from './write-yaml.ts';

/** A strategic patch that also changes what the object is. */
function renamed(random: Random, patch: Obj): Obj {
  const metadata = { ...meta(patch), name: random.pick(['renamed', 'web', 'other']) };
  return {
    ...patch,
    ...(random.chance(0.8) ? { metadata } : {}),
    ...(random.chance(0.4) ? { kind: random.pick(['Renamed', 'Deployment', 'Foo']) } : {}),
  };
}

function patch(scope: Scope, directory: string, index: number): Value {
  const { random, objects, files } = scope;
  const object = random.pick(objects);
  const target = { target: makeTarget(random, object) };
  const place = (content: string): Obj => {
    if (!random.chance(0.4)) return { patch: content };
    files[`${directory}/patch${index}.yaml`] = content;
    return { path: `patch${index}.yaml` };
  };
  if (random.chance(0.35)) {
    const operations = makeJsonPatch(random, object);
    return { ...target, ...place(random.chance(0.3) ? JSON.stringify(operations) : writeYaml(operations, random)) };
  }
  const strategic = makeStrategicPatch(random, object);
  if (random.chance(0.15)) {
    const options = { allowNameChange: random.chance(0.7), allowKindChange: random.chance(0.7) };
    return { ...target, options, ...place(writeYaml(renamed(random, strategic), random)) };
  }
  const several = random.chance(0.1)
    ? `---\n${writeYaml(makeStrategicPatch(random, random.pick(objects)), random)}`
    : '';
  return { ...place(writeYaml(strategic, random) + several), ...(random.chance(0.4) ? target : {}) };
}

export const patchFields: Fields = {
  patches: (scope, directory) => {
    if (scope.objects.length === 0) return undefined;
    return Array.from({ length: 1 + scope.random.below(3) }, (_, index) => patch(scope, directory, index));
  },
  patchesStrategicMerge: ({ random, objects, files }, directory) => {
    if (objects.length === 0) return undefined;
    const count = random.chance(0.2) ? 2 : 1;
    const documents = Array.from({ length: count }, () =>
      writeYaml(makeStrategicPatch(random, random.pick(objects)), random),
    );
    if (random.chance(0.5)) return documents;
    files[`${directory}/smp.yaml`] = documents.join('---\n');
    return ['smp.yaml'];
  },
  patchesJson6902: ({ random, objects, files }, directory) => {
    if (objects.length === 0) return undefined;
    const object = random.pick(objects);
    const content = writeYaml(makeJsonPatch(random, object), random);
    const { namespace } = meta(object);
    const target = {
      ...splitApiVersion(object),
      kind: text(object['kind']),
      name: text(meta(object)['name']),
      ...(namespace === undefined || random.chance(0.5) ? {} : { namespace }),
    };
    if (random.chance(0.3)) return [{ target, patch: content }];
    files[`${directory}/j.yaml`] = content;
    return [{ target, path: 'j.yaml' }];
  },
};
