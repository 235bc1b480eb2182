/** transformers and generators: the built-in ones, configured inline or in a file. */

import { type Fields, type Scope, meta, text } from './case.ts';
import type { Obj } from './make-objects.ts';
import { makeJsonPatch, makeStrategicPatch } from './make-patch.ts';
import { makeTarget } from './make-target.ts';
import { makeReplacement } from './replacement-fields.ts';
import { type Value, writeYaml } from './write-yaml.ts';

function plugin(kind: string, content: Obj, metadata: Obj = { name: 'a' }): Obj {
  return { apiVersion: 'builtin', kind, metadata, ...content };
}

const nameSpecs: Value[] = [{ path: 'metadata/name' }];
const labelSpecs: Value[] = [
  { path: 'metadata/labels', create: true },
  { path: 'spec/template/metadata/labels', create: false, kind: 'Deployment' },
];

type Maker = (scope: Scope, object: Obj) => Obj;

const makers: readonly Maker[] = [
  () => plugin('PrefixTransformer', { prefix: 'tp-', fieldSpecs: nameSpecs }),
  () => plugin('SuffixTransformer', { suffix: '-ts', fieldSpecs: nameSpecs }),
  ({ random }) => plugin('LabelTransformer', { labels: { by: random.pick(['plugin', '7']) }, fieldSpecs: labelSpecs }),
  () =>
    plugin('AnnotationsTransformer', {
      annotations: { by: 'plugin' },
      fieldSpecs: [{ path: 'metadata/annotations', create: true }],
    }),
  ({ random }) =>
    plugin(
      'NamespaceTransformer',
      {
        ...(random.chance(0.4) ? { unsetOnly: true } : {}),
        ...(random.chance(0.5)
          ? { setRoleBindingSubjects: random.pick(['defaultOnly', 'allServiceAccounts', 'none']) }
          : {}),
        ...(random.chance(0.8) ? { fieldSpecs: [{ path: 'metadata/namespace', create: true }] } : {}),
      },
      { name: 'a', namespace: random.pick(['shop', 'plugged']) },
    ),
  ({ random }) =>
    plugin('ImageTagTransformer', {
      imageTag: { name: random.pick(['nginx', 'redis', 'busybox']), newTag: 'plugged' },
      ...(random.chance(0.5) ? { fieldSpecs: [{ path: 'spec/template/spec/containers[]/image' }] } : {}),
    }),
  ({ random }, object) =>
    plugin('ReplicaCountTransformer', {
      replica: { name: text(meta(object)['name']), count: random.below(9) },
      fieldSpecs: [{ path: 'spec/replicas', create: true, kind: 'Deployment' }],
    }),
  ({ random }, object) =>
    plugin('PatchTransformer', {
      target: makeTarget(random, object),
      patch: random.chance(0.5)
        ? writeYaml(makeStrategicPatch(random, object), random)
        : writeYaml(makeJsonPatch(random, object), random),
    }),
  (scope) => plugin('ReplacementTransformer', { replacements: [makeReplacement(scope)] }),
];

export const pluginFields: Fields = {
  transformers: (scope, directory) => {
    const { random, objects, files } = scope;
    if (objects.length === 0) return undefined;
    const configuration = writeYaml(random.pick(makers)(scope, random.pick(objects)), random);
    if (random.chance(0.6)) return [configuration];
    files[`${directory}/transformer.yaml`] = configuration;
    return ['transformer.yaml'];
  },
  generators: ({ random, files, generated }, directory) => {
    const kind = random.pick(['ConfigMap', 'Secret']);
    const name = random.pick(['plugged', 'settings']);
    const configuration = writeYaml(plugin(`${kind}Generator`, { literals: ['a=1', 'b=two'] }, { name }), random);
    generated.push({ kind, name });
    if (random.chance(0.6)) return [configuration];
    files[`${directory}/generator.yaml`] = configuration;
    return ['generator.yaml'];
  },
};
