/** The transformers of one kustomization, in the reference's order. */

import { KustomizeError, inPlace } from '../errors.ts';
import type { TransformerConfig } from '../field/transformer-config.ts';
import type { Loader } from '../files/loader.ts';
import type { Kustomization, Patch, Replacement } from '../kustomization/kustomization.ts';
import { readReplacement } from '../kustomization/read-parts.ts';
import { applyJsonPatches, applyNamedPatches, applyStrategicPatches } from '../patch/apply-patch.ts';
import { parseJsonPatch, parsePatch } from '../patch/read-patch.ts';
import { readResources } from '../resource/read-resources.ts';
import type { Resource } from '../resource/resource.ts';
import type { ResourceMap } from '../resource/resource-map.ts';
import type { SchemaLookup } from '../schema/merge-schema.ts';
import { setImage } from '../transform/images.ts';
import { labelFields, setEntries } from '../transform/labels.ts';
import { addPrefix, addSuffix } from '../transform/names.ts';
import { setNamespace } from '../transform/namespace.ts';
import { applyReplacement } from '../transform/replacements.ts';
import { setReplicas } from '../transform/replicas.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';

export interface TransformContext {
  readonly loader: Loader;
  readonly kustomization: Kustomization;
  readonly config: TransformerConfig;
  readonly map: ResourceMap;
  readonly schemas: SchemaLookup;
}

type Transformer = (context: TransformContext) => void;

const transformers: readonly Transformer[] = [
  applyStrategicFiles,
  applyPatches,
  ({ kustomization, map, config }) =>
    setNamespace(map.resources, {
      namespace: kustomization.namespace,
      specs: config.namespace,
      subjects: 'defaultOnly',
      unsetOnly: false,
    }),
  ({ kustomization, map, config }) => addPrefix(map.resources, kustomization.namePrefix, config.namePrefix),
  ({ kustomization, map, config }) => addSuffix(map.resources, kustomization.nameSuffix, config.nameSuffix),
  addLabels,
  ({ kustomization, map, config }) =>
    setEntries(map.resources, kustomization.commonAnnotations, config.commonAnnotations),
  applyJson6902,
  ({ kustomization, map, config }) => {
    for (const replica of kustomization.replicas) setReplicas(map.resources, replica, config.replicas);
  },
  ({ kustomization, map, config }) => {
    for (const image of kustomization.images) setImage(map.resources, image, config.images);
  },
  applyReplacements,
];

export function runTransformers(context: TransformContext): void {
  for (const transform of transformers) {
    transform(context);
    context.map.dropGone();
  }
}

function applyStrategicFiles({ kustomization, loader, map, schemas }: TransformContext): void {
  const patches = kustomization.patchesStrategicMerge.flatMap((patch, index) => {
    const field = `patchesStrategicMerge[${index}]`;
    return inPlace({ field }, () => inlineObjects(patch) ?? readFile(loader, patch));
  });
  applyNamedPatches(patches, { map, schemas });
}

/** A patch that is written where its path could stand. */
function inlineObjects(patch: string): Resource[] | undefined {
  if (!/[\n{:]/u.test(patch)) return undefined;
  try {
    return readResources(patch);
  } catch (error) {
    if (error instanceof KustomizeError) return undefined;
    throw error;
  }
}

function readFile(loader: Loader, path: string): Resource[] {
  const file = loader.readText(path);
  return readResources(file.text, file.path);
}

function patchText(patch: Patch, loader: Loader): { text: string; file: string | undefined } {
  const inline = patch.patch.trim();
  const place = { field: patch.field, line: patch.line };
  if (inline === '' && patch.path === '')
    throw new KustomizeError('PATCH_INVALID', 'must specify one of patch and path', place);
  if (inline !== '' && patch.path !== '')
    throw new KustomizeError('PATCH_INVALID', "patch and path can't be set at the same time", place);
  if (inline !== '') return { text: inline, file: undefined };
  const file = inPlace({ field: `${patch.field}.path` }, () => loader.readText(patch.path));
  return { text: file.text, file: file.path };
}

function applyPatches(context: TransformContext): void {
  for (const patch of context.kustomization.patches) {
    const { text, file } = patchText(patch, context.loader);
    inPlace({ file, field: patch.field }, () => {
      const parsed = parsePatch(text, file);
      if (parsed.kind === 'json') {
        applyJsonPatches(parsed.operations, patch.target, context);
        return;
      }
      for (const object of parsed.objects) {
        object.allowNameChange = patch.allowNameChange;
        object.allowKindChange = patch.allowKindChange;
      }
      applyStrategicPatches(parsed.objects, patch.target, context);
    });
  }
}

function applyJson6902(context: TransformContext): void {
  for (const patch of context.kustomization.patchesJson6902) {
    const { text, file } = patchText(patch, context.loader);
    inPlace({ file, field: patch.field }, () => applyJsonPatches(parseJsonPatch(text, file), patch.target, context));
  }
}

function addLabels({ kustomization, map, config }: TransformContext): void {
  for (const label of kustomization.labels) setEntries(map.resources, label.pairs, labelFields(label, config));
  setEntries(map.resources, kustomization.commonLabels, config.commonLabels);
}

function applyReplacements({ kustomization, loader, map }: TransformContext): void {
  for (const replacement of kustomization.replacements) {
    for (const one of 'path' in replacement ? readReplacements(loader, replacement.path) : [replacement])
      applyReplacement(map.resources, one);
  }
}

/** A replacement file holds one replacement or a list of them. */
function readReplacements(loader: Loader, path: string): Replacement[] {
  const file = loader.readText(path);
  return inPlace({ file: file.path }, () => {
    const root = parseYaml(file.text);
    const nodes = root?.kind === 'sequence' ? root.items : root === undefined ? [] : [root];
    return nodes.map((node, index) => {
      const replacement = readReplacement(node, `[${index}]`);
      if ('path' in replacement)
        throw new KustomizeError('REPLACEMENT_INVALID', 'a replacement file cannot name another one', {
          line: node.line,
        });
      return replacement;
    });
  });
}
