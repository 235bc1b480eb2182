/** replacements (with delimiters, indexes, creation and rejects) and vars. */

import { type Fields, type Scope, meta, splitApiVersion, text } from './case.ts';
import { type Obj, names } from './make-objects.ts';
import { makeTarget } from './make-target.ts';
import type { Random } from './random.ts';
import { type Value, writeYaml } from './write-yaml.ts';

const sourcePaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.labels',
  'metadata.labels.app',
  'metadata.annotations.note',
  'kind',
  'apiVersion',
  'spec',
  'spec.replicas',
  'spec.template.spec.containers.0.image',
  'spec.template.spec.containers.[name=main].image',
  'spec.ports.0.port',
  'data.k',
  'data.[file.conf]',
  'spec.number',
  'spec.nothing',
  'spec.list',
];

const targetPaths = [
  'metadata.annotations.copied',
  'metadata.annotations.note',
  'metadata.labels.[x.io/y]',
  'metadata.labels.app',
  'metadata.namespace',
  'spec.template.spec.containers.[name=main].image',
  'spec.template.spec.containers.[name=absent].image',
  'spec.template.spec.containers.*.image',
  'spec.template.spec.containers.[name=.*].env.[name=A].value',
  'spec.template.spec.containers.0.env.0.value',
  'spec.template.spec.containers.0.args.1',
  'spec.template.spec.containers.0.args.-',
  'spec.template.metadata.labels.app',
  'spec.selector.matchLabels.app',
  'spec.replicas',
  'spec.copied',
  'spec.deep.down.here',
  'spec.rules.0.host',
  'spec.list.[name=b].v',
  'spec.list.*.v',
  'data.k',
  'data.[new.key]',
  'metadata.name',
];

function delimited(random: Random, indexes: readonly number[]): Obj {
  return { delimiter: random.pick(['-', ':', '/', '.']), index: random.pick(indexes) };
}

function source(random: Random, object: Obj): Obj {
  const namespace = meta(object)['namespace'];
  return {
    kind: text(object['kind']),
    name: text(meta(object)['name']),
    ...(namespace !== undefined && random.chance(0.4) ? { namespace } : {}),
    ...(random.chance(0.2) ? splitApiVersion(object) : {}),
    ...(random.chance(0.7) ? { fieldPath: random.pick(sourcePaths) } : {}),
    ...(random.chance(0.2) ? { options: delimited(random, [0, 0, 1]) } : {}),
  };
}

function target({ random, objects }: Scope): Obj {
  const to = random.pick(objects);
  const options = {
    ...(random.chance(0.6) ? { create: random.chance(0.8) } : {}),
    ...(random.chance(0.3) ? delimited(random, [0, 1, -1, 5]) : {}),
  };
  return {
    select: random.chance(0.6) ? makeTarget(random, to) : { kind: text(to['kind']) },
    ...(random.chance(0.25)
      ? { reject: random.some([{ name: random.pick(names) }, { kind: 'Service' }, { namespace: 'shop' }], 0.5) }
      : {}),
    fieldPaths: Array.from({ length: random.chance(0.2) ? 2 : 1 }, () => random.pick(targetPaths)),
    ...(Object.keys(options).length > 0 ? { options } : {}),
  };
}

export function makeReplacement(scope: Scope): Obj {
  const { random, objects } = scope;
  return {
    source: source(random, random.pick(objects)),
    targets: Array.from({ length: random.chance(0.2) ? 2 : 1 }, () => target(scope)),
  };
}

const varPaths = [
  'metadata.name',
  'metadata.namespace',
  'metadata.labels.app',
  'spec.replicas',
  'kind',
  'data.k',
  'spec.ports[0].port',
  'spec.number',
  'spec.template.spec.containers[0].image',
];

function makeVar(random: Random, object: Obj, name: string): Value {
  const namespace = meta(object)['namespace'];
  return {
    name,
    objref: {
      apiVersion: text(object['apiVersion']),
      kind: text(object['kind']),
      name: text(meta(object)['name']),
      ...(namespace !== undefined && random.chance(0.5) ? { namespace } : {}),
    },
    ...(random.chance(0.6) ? { fieldref: { fieldpath: random.pick(varPaths) } } : {}),
  };
}

export const replacementFields: Fields = {
  replacements: (scope, directory) => {
    const { random, objects, files } = scope;
    if (objects.length === 0) return undefined;
    const all = Array.from({ length: random.chance(0.25) ? 2 : 1 }, () => makeReplacement(scope));
    if (!random.chance(0.2)) return all;
    files[`${directory}/replacement.yaml`] = writeYaml(all.length === 1 ? (all[0] ?? {}) : all, random);
    return [{ path: 'replacement.yaml' }];
  },
  vars: ({ random, objects }) => {
    if (objects.length === 0) return undefined;
    const wanted = random.chance(0.3) ? ['VAR', 'OTHER'] : ['VAR'];
    return wanted.map((name) => makeVar(random, random.pick(objects), name));
  },
};
