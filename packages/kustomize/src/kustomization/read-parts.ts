/** The parts of a kustomization that other places (inline transformer configuration, replacement files) share. */

import type { FieldSpec } from '../field/field-spec.ts';
import { parseApiVersion } from '../resource/identity.ts';
import type { MapNode, Node } from '../yaml/node.ts';
import { FieldReader, readBoolean, readString, requireMap } from './field-reader.ts';
import type {
  FieldOptions,
  Generator,
  GeneratorOptions,
  Image,
  Label,
  Patch,
  Replacement,
  ReplacementTarget,
  Replica,
  Selector,
  SortOptions,
  Var,
} from './kustomization.ts';

const typeFields = ['group', 'version', 'kind'];
const selectorFields = [...typeFields, 'name', 'namespace', 'labelSelector', 'annotationSelector'];

export function readSelector(map: MapNode, path: string): Selector {
  return selectorOf(new FieldReader(map, selectorFields, path));
}

function selectorOf(fields: FieldReader): Selector {
  return {
    group: fields.string('group'),
    version: fields.string('version'),
    kind: fields.string('kind'),
    name: fields.string('name'),
    namespace: fields.string('namespace'),
    labelSelector: fields.string('labelSelector'),
    annotationSelector: fields.string('annotationSelector'),
  };
}

export function readFieldSpec(node: Node, path: string): FieldSpec {
  const fields = new FieldReader(requireMap(node, path), [...typeFields, 'path', 'create'], path);
  return {
    group: fields.string('group'),
    version: fields.string('version'),
    kind: fields.string('kind'),
    path: fields.string('path'),
    create: fields.boolean('create'),
  };
}

export function readPatch(node: Node, path: string): Patch {
  const fields = new FieldReader(requireMap(node, path), ['path', 'patch', 'target', 'options'], path);
  const options = fields.entries('options', readBoolean);
  return {
    path: fields.string('path'),
    patch: fields.string('patch'),
    target: fields.object('target', readSelector),
    allowNameChange: options.get('allowNameChange') ?? false,
    allowKindChange: options.get('allowKindChange') ?? false,
    field: path,
    line: node.line,
  };
}

export function readLabel(node: Node, path: string): Label {
  const fields = new FieldReader(
    requireMap(node, path),
    ['pairs', 'includeSelectors', 'includeTemplates', 'fields'],
    path,
  );
  return {
    pairs: fields.stringMap('pairs'),
    includeSelectors: fields.boolean('includeSelectors'),
    includeTemplates: fields.boolean('includeTemplates'),
    fields: fields.list('fields', readFieldSpec),
  };
}

export function readImage(node: Node, path: string): Image {
  const fields = new FieldReader(requireMap(node, path), ['name', 'newName', 'newTag', 'tagSuffix', 'digest'], path);
  return {
    name: fields.string('name'),
    newName: fields.string('newName'),
    newTag: fields.string('newTag'),
    tagSuffix: fields.string('tagSuffix'),
    digest: fields.string('digest'),
  };
}

export function readReplica(node: Node, path: string): Replica {
  const fields = new FieldReader(requireMap(node, path), ['name', 'count'], path);
  return { name: fields.string('name'), count: fields.integer('count') };
}

function readOptions(map: MapNode, path: string): FieldOptions {
  const fields = new FieldReader(map, ['delimiter', 'index', 'encoding', 'create'], path);
  return { delimiter: fields.string('delimiter'), index: fields.integer('index'), create: fields.boolean('create') };
}

function readSource(map: MapNode, path: string): NonNullable<Replacement['source']> {
  const fields = new FieldReader(map, [...typeFields, 'name', 'namespace', 'fieldPath', 'options'], path);
  return {
    ...selectorOf(fields),
    fieldPath: fields.string('fieldPath'),
    options: fields.object('options', readOptions),
  };
}

function readTarget(node: Node, path: string): ReplacementTarget {
  const fields = new FieldReader(requireMap(node, path), ['select', 'reject', 'fieldPaths', 'options'], path);
  return {
    select: fields.object('select', readSelector),
    reject: fields.list('reject', (item, at) => readSelector(requireMap(item, at), at)),
    fieldPaths: fields.strings('fieldPaths'),
    options: fields.object('options', readOptions),
  };
}

export function readReplacement(node: Node, path: string): Replacement | { readonly path: string } {
  const fields = new FieldReader(requireMap(node, path), ['path', 'source', 'targets'], path);
  const file = fields.string('path');
  if (file !== '' && !fields.has('source') && !fields.has('targets')) return { path: file };
  return {
    source: fields.object('source', readSource),
    targets: fields.node('targets') === undefined ? undefined : fields.list('targets', readTarget),
    field: path,
  };
}

export function readVar(node: Node, path: string): Var {
  const fields = new FieldReader(requireMap(node, path), ['name', 'objref', 'fieldref'], path);
  const target = fields.object('objref', readVarTarget);
  const fieldPath =
    fields.object('fieldref', (map, at) => new FieldReader(map, ['fieldpath'], at).string('fieldpath')) ?? '';
  return {
    name: fields.string('name'),
    target: target ?? emptySelector,
    fieldPath: fieldPath === '' ? 'metadata.name' : fieldPath,
  };
}

const emptySelector: Selector = {
  group: '',
  version: '',
  kind: '',
  name: '',
  namespace: '',
  labelSelector: '',
  annotationSelector: '',
};

function readVarTarget(map: MapNode, path: string): Selector {
  const fields = new FieldReader(
    map,
    ['apiVersion', ...typeFields, 'name', 'namespace', 'labels', 'annotations'],
    path,
  );
  const apiVersion = fields.string('apiVersion');
  const type = apiVersion === '' ? {} : parseApiVersion(apiVersion);
  return { ...selectorOf(fields), ...type };
}

export const generatorFields: readonly string[] = [
  'namespace',
  'name',
  'behavior',
  'literals',
  'files',
  'envs',
  'env',
  'options',
];

export function readGenerator(node: Node, path: string): Generator {
  return generatorOf(new FieldReader(requireMap(node, path), generatorFields, path));
}

export function readSecretGenerator(node: Node, path: string): Generator {
  return generatorOf(new FieldReader(requireMap(node, path), [...generatorFields, 'type'], path));
}

export function generatorOf(fields: FieldReader): Generator {
  const env = readString(fields.node('env'), fields.fieldPath('env'));
  return {
    name: fields.string('name'),
    namespace: fields.string('namespace'),
    behavior: fields.string('behavior'),
    literals: fields.strings('literals'),
    files: fields.strings('files'),
    envs: env === '' ? fields.strings('envs') : [...fields.strings('envs'), env],
    type: fields.string('type'),
    options: fields.object('options', readGeneratorOptions),
    field: fields.fieldPath('name').replace(/\.?name$/u, ''),
  };
}

export function readGeneratorOptions(map: MapNode, path: string): GeneratorOptions {
  const fields = new FieldReader(map, ['labels', 'annotations', 'disableNameSuffixHash', 'immutable'], path);
  return {
    labels: fields.stringMap('labels'),
    annotations: fields.stringMap('annotations'),
    disableNameSuffixHash: fields.boolean('disableNameSuffixHash'),
    immutable: fields.boolean('immutable'),
  };
}

export function readSortOptions(map: MapNode, path: string): SortOptions {
  const fields = new FieldReader(map, ['order', 'legacySortOptions'], path);
  return {
    order: fields.string('order'),
    legacy: fields.object('legacySortOptions', (legacy, at) => {
      const inner = new FieldReader(legacy, ['orderFirst', 'orderLast'], at);
      return { orderFirst: inner.strings('orderFirst'), orderLast: inner.strings('orderLast') };
    }),
  };
}
