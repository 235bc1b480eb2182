/** The transformers of one kustomization, in the reference's order. */

import { KustomizeError, inPlace } from '../errors.ts';
import type { TransformerConfig } from '../field/transformer-config.ts';
import type { Loader } from '../files/loader.ts';
import type { Kustomization, Replacement } from '../kustomization/kustomization.ts';
import { readReplacement } from '../kustomization/read-parts.ts';
import type { ResourceMap } from '../resource/resource-map.ts';
import type { SchemaLookup } from '../schema/merge-schema.ts';
import { setImage } from '../transform/images.ts';
import { labelFields, setEntries } from '../transform/labels.ts';
import { addPrefix, addSuffix } from '../transform/names.ts';
import { setNamespace } from '../transform/namespace.ts';
import { applyReplacement } from '../transform/replacements.ts';
import { setReplicas } from '../transform/replicas.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import { inKustomization } from './in-kustomization.ts';
import { applyJson6902, applyPatches, applyStrategicFiles } from './patch-fields.ts';

export interface TransformContext {
  readonly loader: Loader;
  readonly kustomization: Kustomization;
  readonly config: TransformerConfig;
  readonly map: ResourceMap;
  readonly schemas: SchemaLookup;
  /** Hears which transformer has run, for build metadata. */
  readonly ran: (name: string) => void;
}

interface Transformer {
  readonly name: string;
  /** The field that asks for it, for errors. */
  readonly field: string;
  /** How often it runs: once per entry of its field. */
  readonly count: (kustomization: Kustomization) => number;
  readonly run: (context: TransformContext) => void;
  /** Says itself when it has run, after each entry. */
  readonly reports?: true;
}

function reporting(context: TransformContext, name: string): TransformContext & { applied: () => void } {
  const applied = (): void => {
    context.map.dropGone();
    context.ran(name);
  };
  return { ...context, applied };
}

const transformers: readonly Transformer[] = [
  {
    name: 'PatchStrategicMergeTransformer',
    field: 'patchesStrategicMerge',
    count: ({ patchesStrategicMerge }) => Math.min(patchesStrategicMerge.length, 1),
    run: applyStrategicFiles,
  },
  {
    name: 'PatchTransformer',
    field: 'patches',
    count: ({ patches }) => patches.length,
    run: (context) => applyPatches(reporting(context, 'PatchTransformer')),
    reports: true,
  },
  {
    name: 'NamespaceTransformer',
    field: 'namespace',
    count: ({ namespace }) => (namespace === '' ? 0 : 1),
    run: ({ kustomization: { namespace }, map, config }) =>
      setNamespace(map.resources, { namespace, specs: config.namespace, subjects: 'defaultOnly', unsetOnly: false }),
  },
  {
    name: 'PrefixTransformer',
    field: 'namePrefix',
    count: ({ namePrefix }) => (namePrefix === '' ? 0 : 1),
    run: ({ kustomization, map, config }) => addPrefix(map.resources, kustomization.namePrefix, config.namePrefix),
  },
  {
    name: 'SuffixTransformer',
    field: 'nameSuffix',
    count: ({ nameSuffix }) => (nameSuffix === '' ? 0 : 1),
    run: ({ kustomization, map, config }) => addSuffix(map.resources, kustomization.nameSuffix, config.nameSuffix),
  },
  {
    name: 'LabelTransformer',
    field: 'labels',
    count: ({ labels, commonLabels }) => (labels.length + commonLabels.size > 0 ? labels.length + 1 : 0),
    run: (context) => addLabels(reporting(context, 'LabelTransformer')),
    reports: true,
  },
  {
    name: 'AnnotationsTransformer',
    field: 'commonAnnotations',
    count: ({ commonAnnotations }) => (commonAnnotations.size > 0 ? 1 : 0),
    run: ({ kustomization, map, config }) =>
      setEntries(map.resources, kustomization.commonAnnotations, config.commonAnnotations),
  },
  {
    name: 'PatchJson6902Transformer',
    field: 'patchesJson6902',
    count: ({ patchesJson6902 }) => patchesJson6902.length,
    run: (context) => applyJson6902(reporting(context, 'PatchJson6902Transformer')),
    reports: true,
  },
  {
    name: 'ReplicaCountTransformer',
    field: 'replicas',
    count: ({ replicas }) => replicas.length,
    run: ({ kustomization, map, config }) => {
      for (const replica of kustomization.replicas) setReplicas(map.resources, replica, config.replicas);
    },
  },
  {
    name: 'ImageTagTransformer',
    field: 'images',
    count: ({ images }) => images.length,
    run: ({ kustomization, map, config }) => {
      for (const image of kustomization.images) setImage(map.resources, image, config.images);
    },
  },
  {
    name: 'ReplacementTransformer',
    field: 'replacements',
    count: ({ replacements }) => Math.min(replacements.length, 1),
    run: applyReplacements,
  },
];

export function runTransformers(context: TransformContext): void {
  for (const { name, field, count, run, reports } of transformers) {
    const times = count(context.kustomization);
    if (times === 0) continue;
    inKustomization(context, field, () => run(context));
    context.map.dropGone();
    if (reports === true) continue;
    for (let time = 0; time < times; time += 1) context.ran(name);
  }
}

function addLabels(context: ReturnType<typeof reporting>): void {
  const { kustomization, map, config, applied } = context;
  for (const label of kustomization.labels) {
    setEntries(map.resources, label.pairs, labelFields(label, config));
    applied();
  }
  inKustomization(context, 'commonLabels', () =>
    setEntries(map.resources, kustomization.commonLabels, config.commonLabels),
  );
  applied();
}

function applyReplacements({ kustomization, loader, map }: TransformContext): void {
  for (const [index, replacement] of kustomization.replacements.entries()) {
    const field = `replacements[${index}].path`;
    for (const one of 'path' in replacement ? readReplacements(loader, replacement.path, field) : [replacement])
      applyReplacement(map.resources, one);
  }
}

/** A replacement file holds one replacement or a list of them. */
export function readReplacements(loader: Loader, path: string, field: string): Replacement[] {
  const file = inPlace({ field }, () => loader.readText(path));
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
