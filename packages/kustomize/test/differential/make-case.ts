/** A random directory tree of kustomizations: bases, overlays and components with every field in random company. */

import { type Case, type Fields, type Scope, meta, text } from './case.ts';
import { configurationFields } from './configuration-fields.ts';
import { generatorFields } from './generator-fields.ts';
import { type Obj, kinds, makeObject, names } from './make-objects.ts';
import { patchFields } from './patch-fields.ts';
import { pluginFields } from './plugin-fields.ts';
import { Random } from './random.ts';
import { replacementFields } from './replacement-fields.ts';
import { simpleFields } from './simple-fields.ts';
import { writeYaml } from './write-yaml.ts';

const fields: Fields = {
  ...simpleFields,
  ...patchFields,
  ...generatorFields,
  ...replacementFields,
  ...configurationFields,
  ...pluginFields,
};

export const fieldNames: readonly string[] = Object.keys(fields);

function key(object: Obj): string {
  return `${text(object['kind'])}/${text(meta(object)['name'])}`;
}

/** Objects of few kinds and names; those that are there already are made again only now and then, because that is mostly refused. */
function makeObjects({ random, objects }: Scope): Obj[] {
  const made: Obj[] = [];
  const taken = new Set(random.chance(0.1) ? [] : objects.map((object) => key(object)));
  for (const kind of random.shuffle(kinds).slice(0, 1 + random.below(6))) {
    for (const name of random.shuffle(names).slice(0, 1 + random.below(2))) {
      if (taken.has(`${kind}/${name}`)) continue;
      taken.add(`${kind}/${name}`);
      made.push(makeObject(random, kind, name));
    }
  }
  return made;
}

function addResourceFiles(scope: Scope, directory: string): string[] {
  const { random, files, objects } = scope;
  const paths: string[] = [];
  const made = makeObjects(scope);
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

interface Parts {
  readonly resources: readonly string[];
  readonly wanted: readonly string[];
  readonly extra?: Obj;
}

function writeKustomization(scope: Scope, directory: string, { resources, wanted, extra = {} }: Parts): void {
  const { random, files } = scope;
  const kustomization: Obj = { ...extra };
  if (resources.length > 0) kustomization['resources'] = [...resources];
  for (const name of wanted) {
    const value = fields[name]?.(scope, directory);
    if (value !== undefined) kustomization[name] = value;
  }
  const isEmpty = Object.keys(kustomization).every((name) => name === 'kind' || name === 'apiVersion');
  if (isEmpty) kustomization['nameSuffix'] = '-only';
  const entries = random.shuffle(Object.entries(kustomization));
  const file = random.pick(['kustomization.yaml', 'kustomization.yaml', 'kustomization.yml', 'Kustomization']);
  files[`${directory}/${file}`] = writeYaml(Object.fromEntries(entries), random);
}

/** The fields that a case must have; pairs of fields are covered by walking through all of them. */
export function fieldPair(index: number): readonly string[] {
  const count = fieldNames.length;
  const first = fieldNames[index % count];
  const second = fieldNames[Math.floor(index / count) % count];
  return [...new Set([first, second])].filter((name) => name !== undefined);
}

const baseFields = ['namePrefix', 'nameSuffix', 'namespace', 'commonLabels', 'images', 'configMapGenerator', 'labels'];
const component: Obj = { apiVersion: 'kustomize.config.k8s.io/v1alpha1', kind: 'Component' };

/** A base, one time in four on top of another base. */
function addBase(scope: Scope, directory: string): string {
  const { random } = scope;
  const below = random.chance(0.25) ? `${directory}-below` : undefined;
  if (below !== undefined) {
    const wanted = random.some(baseFields, 0.3);
    writeKustomization(scope, below, { resources: addResourceFiles(scope, below), wanted });
  }
  const resources = [...addResourceFiles(scope, directory), ...(below === undefined ? [] : [`../${below}`])];
  writeKustomization(scope, directory, { resources, wanted: random.some(baseFields, 0.15) });
  return `../${directory}`;
}

/** A component with a few fields of its own; the pair of the case may be split between it and the kustomization that uses it. */
function addComponent(scope: Scope, directory: string, wanted: readonly string[]): string {
  const { random } = scope;
  const resources = random.chance(0.3) ? addResourceFiles(scope, directory) : [];
  writeKustomization(scope, directory, { resources, wanted, extra: component });
  return `../${directory}`;
}

export function makeCase(seed: number): Case {
  const random = new Random(seed);
  const scope: Scope = { random, files: {}, objects: [], generated: [] };
  const wanted = random.shuffle([...new Set([...fieldPair(seed), ...random.some(fieldNames, 0.04)])]);
  const resources: string[] = [];
  const shape = random.below(6);
  if (shape > 0) resources.push(addBase(scope, 'base'));
  if (shape === 2) resources.push(addBase(scope, 'other'));
  if (shape === 0 || random.chance(0.3)) resources.push(...addResourceFiles(scope, 'top'));
  if (shape < 3) {
    writeKustomization(scope, 'top', { resources, wanted });
    return { files: scope.files, directory: 'top' };
  }
  const split = random.below(wanted.length + 1);
  const components = [addComponent(scope, 'component', wanted.slice(0, split))];
  if (random.chance(0.2)) components.push(addComponent(scope, 'second', random.some(fieldNames, 0.04)));
  writeKustomization(scope, 'top', { resources, extra: { components }, wanted: wanted.slice(split) });
  return { files: scope.files, directory: 'top' };
}
