/**
 * Built-in transformers and generators with configuration of their own (`transformers:`, `generators:`). Plugins that are programs or
 * containers are refused: a build starts no process.
 */

import { KustomizeError, inPlace } from '../errors.ts';
import type { FieldSpec } from '../field/field-spec.ts';
import type { Loader } from '../files/loader.ts';
import { contentHash } from '../generate/content-hash.ts';
import { generateConfigMap, generateSecret } from '../generate/generate.ts';
import { FieldReader } from '../kustomization/field-reader.ts';
import type { Kustomization } from '../kustomization/kustomization.ts';
import {
  generatorFields,
  generatorOf,
  readFieldSpec,
  readImage,
  readPatch,
  readReplacement,
  readReplica,
} from '../kustomization/read-parts.ts';
import type { Resource } from '../resource/resource.ts';
import { setImage } from '../transform/images.ts';
import { setEntries } from '../transform/labels.ts';
import { addPrefix, addSuffix } from '../transform/names.ts';
import { setNamespace } from '../transform/namespace.ts';
import { applyReplacement } from '../transform/replacements.ts';
import { setReplicas } from '../transform/replicas.ts';
import { MapNode, plainNode } from '../yaml/node.ts';
import type { Accumulator, Step } from './accumulate.ts';
import { applyJson6902, applyPatches, applyStrategicFiles } from './patch-fields.ts';
import { readReplacements } from './run-transformers.ts';

interface PluginContext {
  readonly plugin: Resource;
  readonly step: Step;
  readonly into: Accumulator;
}

/** Fields of a plugin's configuration; others are left alone. */
function fieldsOf(plugin: Resource, names: readonly string[]): FieldReader {
  const map = new MapNode(plugin.node.line);
  for (const name of names) {
    const value = plugin.node.get(name);
    if (value !== undefined) map.set(name, value);
  }
  return new FieldReader(map, names, plugin.kind);
}

function specsOf(plugin: Resource): FieldSpec[] {
  return fieldsOf(plugin, ['fieldSpecs']).list('fieldSpecs', readFieldSpec);
}

const noPatches: Pick<Kustomization, 'patches' | 'patchesStrategicMerge' | 'patchesJson6902'> = {
  patches: [],
  patchesStrategicMerge: [],
  patchesJson6902: [],
};

function patchFields(
  { step, into }: PluginContext,
  fields: Partial<typeof noPatches>,
): Parameters<typeof applyPatches>[0] {
  return {
    loader: step.loader,
    map: into.map,
    schemas: step.context.schemas.lookup,
    kustomization: { ...noPatches, ...fields },
  };
}

function runPatch(context: PluginContext): void {
  const map = new MapNode(context.plugin.node.line);
  for (const name of ['path', 'patch', 'target', 'options']) {
    const value = context.plugin.node.get(name);
    if (value !== undefined) map.set(name, value);
  }
  applyPatches(patchFields(context, { patches: [readPatch(map, context.plugin.kind)] }));
}

function runJson6902(context: PluginContext): void {
  const map = new MapNode(context.plugin.node.line);
  for (const [from, to] of [
    ['path', 'path'],
    ['jsonOp', 'patch'],
    ['target', 'target'],
  ] as const) {
    const value = context.plugin.node.get(from);
    if (value !== undefined) map.set(to, value);
  }
  applyJson6902(patchFields(context, { patchesJson6902: [readPatch(map, context.plugin.kind)] }));
}

function runStrategic(context: PluginContext): void {
  const fields = fieldsOf(context.plugin, ['paths', 'patches']);
  const inline = fields.string('patches');
  applyStrategicFiles(
    patchFields(context, { patchesStrategicMerge: [...fields.strings('paths'), ...(inline === '' ? [] : [inline])] }),
  );
}

function runNamespace({ plugin, into }: PluginContext): void {
  const fields = fieldsOf(plugin, ['unsetOnly', 'setRoleBindingSubjects']);
  const subjects = fields.string('setRoleBindingSubjects');
  if (subjects !== '' && subjects !== 'defaultOnly' && subjects !== 'allServiceAccounts' && subjects !== 'none') {
    throw new KustomizeError('CONFIG_INVALID', `unknown setRoleBindingSubjects '${subjects}'`, {
      hint: 'use defaultOnly, allServiceAccounts or none',
    });
  }
  setNamespace(into.map.resources, {
    namespace: plugin.namespace,
    specs: specsOf(plugin),
    subjects: subjects === '' ? 'defaultOnly' : subjects,
    unsetOnly: fields.boolean('unsetOnly'),
  });
}

function runReplacements({ plugin, step, into }: PluginContext): void {
  for (const replacement of fieldsOf(plugin, ['replacements']).list('replacements', readReplacement)) {
    const all =
      'path' in replacement ? readReplacements(step.loader, replacement.path, 'replacements.path') : [replacement];
    for (const one of all) applyReplacement(into.map.resources, one);
  }
}

function runHash({ into }: PluginContext): void {
  for (const resource of into.map.resources) {
    if (!resource.needsHash) continue;
    const hash = contentHash(resource);
    resource.rememberId();
    resource.name = `${resource.name}-${hash}`;
  }
}

const transformers: Readonly<Record<string, (context: PluginContext) => void>> = {
  AnnotationsTransformer: ({ plugin, into }) =>
    setEntries(into.map.resources, fieldsOf(plugin, ['annotations']).stringMap('annotations'), specsOf(plugin)),
  LabelTransformer: ({ plugin, into }) =>
    setEntries(into.map.resources, fieldsOf(plugin, ['labels']).stringMap('labels'), specsOf(plugin)),
  PrefixTransformer: ({ plugin, into }) =>
    addPrefix(into.map.resources, fieldsOf(plugin, ['prefix']).string('prefix'), specsOf(plugin)),
  SuffixTransformer: ({ plugin, into }) =>
    addSuffix(into.map.resources, fieldsOf(plugin, ['suffix']).string('suffix'), specsOf(plugin)),
  NamespaceTransformer: runNamespace,
  ImageTagTransformer: ({ plugin, into }) => {
    const image = plugin.node.get('imageTag') ?? new MapNode();
    setImage(into.map.resources, readImage(image, 'imageTag'), specsOf(plugin));
  },
  ReplicaCountTransformer: ({ plugin, into }) => {
    const replica = plugin.node.get('replica') ?? new MapNode();
    setReplicas(into.map.resources, readReplica(replica, 'replica'), specsOf(plugin));
  },
  PatchTransformer: runPatch,
  PatchJson6902Transformer: runJson6902,
  PatchStrategicMergeTransformer: runStrategic,
  ReplacementTransformer: runReplacements,
  HashTransformer: runHash,
};

function refuse(plugin: Resource): KustomizeError {
  return new KustomizeError('NOT_SUPPORTED', `the plugin ${plugin.apiVersion} ${plugin.kind} is not supported`, {
    hint: 'only built-in transformers and generators (apiVersion: builtin) run; programs and containers do not',
  });
}

export function runPluginTransformer(plugin: Resource, step: Step, into: Accumulator): void {
  const run =
    plugin.apiVersion === 'builtin' && Object.hasOwn(transformers, plugin.kind) ? transformers[plugin.kind] : undefined;
  if (run === undefined) throw refuse(plugin);
  inPlace({ field: plugin.kind }, () => run({ plugin, step, into }));
  into.map.dropGone();
}

export function runPluginGenerator(plugin: Resource, loader: Loader): Resource {
  const secret = plugin.kind === 'SecretGenerator';
  if (plugin.apiVersion !== 'builtin' || (!secret && plugin.kind !== 'ConfigMapGenerator')) throw refuse(plugin);
  const node = new MapNode(plugin.node.line);
  for (const name of [...generatorFields, 'type']) {
    const value = plugin.node.get(name);
    if (value !== undefined) node.set(name, value);
  }
  node.set('name', plainNode(plugin.name));
  if (plugin.namespace !== '') node.set('namespace', plainNode(plugin.namespace));
  const generator = generatorOf(new FieldReader(node, [...generatorFields, 'type'], plugin.kind));
  return secret ? generateSecret(generator, loader) : generateConfigMap(generator, loader);
}
