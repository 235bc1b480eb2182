/** A random directory tree of kustomizations: bases, overlays and components with every field in random company. */

import { type Obj, kinds, makeObject, names } from './make-objects.ts';
import { makeJsonPatch, makeStrategicPatch } from './make-patch.ts';
import { Random } from './random.ts';
import { type Value, writeYaml } from './write-yaml.ts';

export interface Case {
  readonly files: Readonly<Record<string, string>>;
  /** The directory to build, relative to the root of the files. */
  readonly directory: string;
}

interface Scope {
  readonly random: Random;
  readonly files: { [path: string]: string };
  readonly objects: Obj[];
}

function text(value: Value | undefined): string {
  return typeof value === 'string' ? value : '';
}

function meta(object: Obj): Obj {
  const value = object['metadata'];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

function addResourceFiles({ random, files, objects }: Scope, directory: string): string[] {
  const paths: string[] = [];
  const wanted = random.shuffle(kinds).slice(0, 1 + random.below(6));
  const made: Obj[] = [];
  const taken = new Set<string>();
  for (const kind of wanted) {
    for (const name of random.shuffle(names).slice(0, 1 + random.below(2))) {
      if (taken.has(`${kind}/${name}`)) continue;
      taken.add(`${kind}/${name}`);
      made.push(makeObject(random, kind, name));
    }
  }
  objects.push(...made);
  for (let at = 0; at < made.length;) {
    const count = 1 + random.below(3);
    const path = `r${paths.length}.yaml`;
    files[`${directory}/${path}`] = writeDocuments(random, made.slice(at, at + count));
    paths.push(path);
    at += count;
  }
  return paths;
}

function writeDocuments(random: Random, objects: readonly Obj[]): string {
  if (objects.length > 1 && random.chance(0.1))
    return writeYaml({ apiVersion: 'v1', kind: 'List', items: [...objects] }, random);
  const documents = objects.map((object) => writeYaml(object, random));
  const separator = random.pick(['---\n', '--- # next\n', '---\n# comment\n']);
  const joined = (random.chance(0.3) ? '---\n' : '') + documents.join(separator);
  return random.chance(0.05) ? joined.replaceAll('\n', '\r\n') : joined;
}

function generator(random: Random, secret: boolean, files: { [path: string]: string }, directory: string): Obj {
  const name = random.pick(['settings', ...names]);
  const made: Obj = { name };
  if (random.chance(0.6))
    made['literals'] = random.some(
      ['a=1', 'b=x=y', 'c="quoted"', "d='single'", 'e=', 'long=some text with spaces'],
      0.4,
    );
  if (random.chance(0.3)) {
    files[`${directory}/env.properties`] = 'X=1\n# comment\n\n  Y=two words\nZ\nW=a=b\n';
    made[random.pick(['envs', 'env'])] = 'env.properties';
    if (made['envs'] !== undefined) made['envs'] = ['env.properties'];
  }
  if (random.chance(0.4)) {
    files[`${directory}/data.conf`] = 'first\nsecond <&>\n\tindented\n';
    files[`${directory}/sub/one.txt`] = random.pick([
      '',
      'no line feed',
      'x'.repeat(90),
      'é😀\n',
      'trailing \nspace\n',
    ]);
    made['files'] = random.some(['data.conf', 'renamed=data.conf', 'sub/one.txt'], 0.6);
  }
  if (random.chance(0.15)) made['namespace'] = random.pick(['shop', 'infra']);
  if (secret && random.chance(0.3)) made['type'] = 'kubernetes.io/tls';
  if (random.chance(0.2)) made['options'] = options(random);
  if (random.chance(0.06)) made['behavior'] = random.pick(['create', 'merge', 'replace']);
  return made;
}

function options(random: Random): Obj {
  return {
    ...(random.chance(0.4) ? { labels: { gen: 'true' } } : {}),
    ...(random.chance(0.4) ? { annotations: { from: 'generator' } } : {}),
    ...(random.chance(0.4) ? { disableNameSuffixHash: random.chance(0.7) } : {}),
    ...(random.chance(0.2) ? { immutable: true } : {}),
  };
}

function target(random: Random, object: Obj): Obj {
  const all: Obj = { kind: text(object['kind']), name: text(meta(object)['name']) };
  const kind = random.below(8);
  if (kind === 0) return { kind: text(object['kind']) };
  if (kind === 1) return { name: random.pick(['.*', 'w.*', 'web|api']) };
  if (kind === 2) return { labelSelector: random.pick(['app=web', 'app in (web, api)', '!tier', 'app', 'app!=db']) };
  if (kind === 3) return { annotationSelector: 'note=plain' };
  if (kind === 4) return { ...all, namespace: random.pick(['shop', 'default', '.*']) };
  return all;
}

type Field = (scope: Scope, directory: string) => Value | undefined;

const fields: { readonly [name: string]: Field } = {
  namePrefix: ({ random }) => random.pick(['pre-', 'x-', 'p']),
  nameSuffix: ({ random }) => random.pick(['-suf', '-v2']),
  namespace: ({ random }) => random.pick(['shop', 'prod', 'default']),
  commonLabels: ({ random }) => ({ team: random.pick(['a', 'b']), ...(random.chance(0.3) ? { app: 'common' } : {}) }),
  labels: ({ random }) => [
    {
      pairs: { owner: random.pick(['me', '1', 'true']) },
      ...(random.chance(0.4) ? { includeSelectors: true } : {}),
      ...(random.chance(0.4) ? { includeTemplates: true } : {}),
      ...(random.chance(0.2)
        ? { fields: [{ path: 'spec/extra/labels', kind: 'Foo', create: random.chance(0.6) }] }
        : {}),
    },
  ],
  commonAnnotations: ({ random }) => ({ contact: random.pick(['x@y.z', '5', 'a: b']) }),
  images: ({ random }) =>
    random.some(
      [
        { name: 'nginx', newTag: random.pick(['1.26', 'latest']) },
        { name: 'redis', newName: 'mirror/redis', ...(random.chance(0.4) ? { digest: 'sha256:fff' } : {}) },
        { name: 'registry.local:5000/team/app', newTag: 'v2' },
        { name: 'gcr.io/x/y', newName: 'z' },
        { name: 'busybox', newTag: '1', digest: 'sha256:00' },
      ],
      0.5,
    ),
  replicas: ({ random, objects }) => {
    const found = objects.filter((object) =>
      ['Deployment', 'StatefulSet', 'ReplicaSet'].includes(text(object['kind'])),
    );
    return found.length === 0 ? undefined : [{ name: text(meta(random.pick(found))['name']), count: random.below(10) }];
  },
  patches: ({ random, objects, files }, directory) => {
    if (objects.length === 0) return undefined;
    return Array.from({ length: 1 + random.below(2) }, (_, index) => {
      const object = random.pick(objects);
      if (random.chance(0.35))
        return { target: target(random, object), patch: writeYaml(makeJsonPatch(random, object), random) };
      const patch = writeYaml(makeStrategicPatch(random, object), random);
      const withTarget = random.chance(0.4) ? { target: target(random, object) } : {};
      const extra = random.chance(0.1)
        ? { options: { allowNameChange: true, allowKindChange: random.chance(0.5) } }
        : {};
      if (random.chance(0.4)) {
        files[`${directory}/patch${index}.yaml`] = patch;
        return { path: `patch${index}.yaml`, ...withTarget, ...extra };
      }
      return { patch, ...withTarget, ...extra };
    });
  },
  patchesStrategicMerge: ({ random, objects, files }, directory) => {
    if (objects.length === 0) return undefined;
    const patch = writeYaml(makeStrategicPatch(random, random.pick(objects)), random);
    if (random.chance(0.5)) return [patch];
    files[`${directory}/smp.yaml`] = patch;
    return ['smp.yaml'];
  },
  patchesJson6902: ({ random, objects, files }, directory) => {
    if (objects.length === 0) return undefined;
    const object = random.pick(objects);
    const [group, version] = text(object['apiVersion']).includes('/')
      ? text(object['apiVersion']).split('/')
      : ['', text(object['apiVersion'])];
    files[`${directory}/j.yaml`] = writeYaml(makeJsonPatch(random, object), random);
    return [
      {
        target: {
          group: group ?? '',
          version: version ?? '',
          kind: text(object['kind']),
          name: text(meta(object)['name']),
        },
        path: 'j.yaml',
      },
    ];
  },
  configMapGenerator: ({ random, files }, directory) => [generator(random, false, files, directory)],
  secretGenerator: ({ random, files }, directory) => [generator(random, true, files, directory)],
  generatorOptions: ({ random }) => options(random),
  replacements: ({ random, objects }) => {
    if (objects.length === 0) return undefined;
    const source = random.pick(objects);
    const to = random.pick(objects);
    const delimited = random.chance(0.3)
      ? { delimiter: random.pick(['-', ':', '/']), index: random.pick([0, 1, -1, 5]) }
      : {};
    return [
      {
        source: {
          kind: text(source['kind']),
          name: text(meta(source)['name']),
          ...(random.chance(0.5)
            ? { fieldPath: random.pick(['metadata.name', 'kind', 'metadata.labels', 'apiVersion', 'spec']) }
            : {}),
          ...(random.chance(0.15) ? { options: { delimiter: '/', index: 0 } } : {}),
        },
        targets: [
          {
            select: random.chance(0.6)
              ? { kind: text(to['kind']), name: text(meta(to)['name']) }
              : { kind: text(to['kind']) },
            ...(random.chance(0.2) ? { reject: [{ name: random.pick(names) }] } : {}),
            fieldPaths: [
              random.pick([
                'metadata.annotations.copied',
                'metadata.labels.[x.io/y]',
                'spec.template.spec.containers.[name=main].image',
                'spec.template.spec.containers.*.image',
                'spec.template.spec.containers.0.env.0.value',
                'spec.copied',
                'metadata.name',
              ]),
            ],
            options: { create: random.chance(0.7), ...delimited },
          },
        ],
      },
    ];
  },
  vars: ({ random, objects }) => {
    if (objects.length === 0) return undefined;
    const object = random.pick(objects);
    return [
      {
        name: 'VAR',
        objref: {
          apiVersion: text(object['apiVersion']),
          kind: text(object['kind']),
          name: text(meta(object)['name']),
        },
        ...(random.chance(0.5)
          ? {
              fieldref: {
                fieldpath: random.pick([
                  'metadata.name',
                  'metadata.namespace',
                  'spec.replicas',
                  'kind',
                  'data.k',
                  'spec.ports[0].port',
                ]),
              },
            }
          : {}),
      },
    ];
  },
  sortOptions: ({ random }) =>
    random.pick<Value>([
      { order: 'fifo' },
      { order: 'legacy' },
      { order: 'legacy', legacySortOptions: { orderFirst: ['Deployment', 'Foo'], orderLast: ['Namespace'] } },
    ]),
  configurations: ({ random, files }, directory) => {
    files[`${directory}/config.yaml`] = writeYaml(
      {
        ...(random.chance(0.5)
          ? {
              nameReference: [
                {
                  kind: random.pick(['ConfigMap', 'Deployment', 'Service']),
                  version: 'v1',
                  fieldSpecs: [{ kind: 'Foo', path: 'spec/config/ref' }],
                },
              ],
            }
          : {}),
        ...(random.chance(0.4)
          ? {
              varReference: [
                { kind: 'Foo', path: 'spec/config/ref' },
                { path: 'data', kind: 'ConfigMap' },
              ],
            }
          : {}),
        ...(random.chance(0.3) ? { commonLabels: [{ path: 'spec/podLabels', kind: 'Foo', create: true }] } : {}),
        ...(random.chance(0.3) ? { images: [{ path: 'spec/config/ref', kind: 'Foo' }] } : {}),
        ...(random.chance(0.3) ? { namespace: [{ path: 'spec/targetNamespace', kind: 'Foo', create: true }] } : {}),
        ...(random.chance(0.3) ? { namePrefix: [{ path: 'spec/config/ref', kind: 'Foo' }] } : {}),
        ...(random.chance(0.3) ? { replicas: [{ path: 'spec/count', kind: 'Foo', create: true }] } : {}),
      },
      random,
    );
    return ['config.yaml'];
  },
  buildMetadata: ({ random }) => random.some(['managedByLabel'], 0.8),
};

export const fieldNames: readonly string[] = Object.keys(fields);

function writeKustomization(
  scope: Scope,
  directory: string,
  parts: { resources: string[]; extra: Obj; wanted: readonly string[] },
): void {
  const { random, files } = scope;
  const kustomization: Obj = { ...parts.extra };
  if (parts.resources.length > 0) kustomization['resources'] = parts.resources;
  for (const name of parts.wanted) {
    const value = fields[name]?.(scope, directory);
    if (value !== undefined) kustomization[name] = value;
  }
  if (Object.keys(kustomization).every((key) => key === 'kind' || key === 'apiVersion'))
    kustomization['nameSuffix'] = '-only';
  const entries = random.shuffle(Object.entries(kustomization));
  files[
    `${directory}/${random.pick(['kustomization.yaml', 'kustomization.yaml', 'kustomization.yml', 'Kustomization'])}`
  ] = writeYaml(Object.fromEntries(entries), random);
}

/** The fields that a case must have; pairs of fields are covered by walking through all of them. */
export function fieldPair(index: number): readonly string[] {
  const count = fieldNames.length;
  const first = fieldNames[index % count];
  const second = fieldNames[Math.floor(index / count) % count];
  return [...new Set([first, second])].filter((name) => name !== undefined);
}

export function makeCase(seed: number): Case {
  const random = new Random(seed);
  const scope: Scope = { random, files: {}, objects: [] };
  const own = fieldPair(seed);
  const wanted = random.shuffle([...new Set([...own, ...random.some(fieldNames, 0.08)])]);
  const shape = random.below(4);
  if (shape === 0) {
    writeKustomization(scope, 'top', { resources: addResourceFiles(scope, 'top'), extra: {}, wanted });
    return { files: scope.files, directory: 'top' };
  }
  const inBase = random.some(
    ['namePrefix', 'nameSuffix', 'namespace', 'commonLabels', 'images', 'configMapGenerator', 'labels'],
    0.15,
  );
  writeKustomization(scope, 'base', { resources: addResourceFiles(scope, 'base'), extra: {}, wanted: inBase });
  const resources = ['../base'];
  const extra: Obj = {};
  if (shape === 2) {
    const second = random.some(['namePrefix', 'nameSuffix', 'namespace'], 0.5);
    writeKustomization(scope, 'other', {
      resources: addResourceFiles(scope, 'other'),
      extra: {},
      wanted: second.length > 0 ? second : ['nameSuffix'],
    });
    resources.push('../other');
  }
  if (shape === 3) {
    const component = { apiVersion: 'kustomize.config.k8s.io/v1alpha1', kind: 'Component' };
    writeKustomization(scope, 'component', { resources: [], extra: component, wanted: random.some(fieldNames, 0.12) });
    extra['components'] = ['../component'];
  }
  if (random.chance(0.3)) resources.push(...addResourceFiles(scope, 'top'));
  writeKustomization(scope, 'top', { resources, extra, wanted });
  return { files: scope.files, directory: 'top' };
}
