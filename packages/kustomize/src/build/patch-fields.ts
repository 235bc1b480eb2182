/** The three fields of a kustomization that hold patches: read, told apart, applied. */

import { KustomizeError, inPlace } from '../errors.ts';
import type { Loader } from '../files/loader.ts';
import type { Kustomization, Patch } from '../kustomization/kustomization.ts';
import { applyJsonPatches, applyNamedPatches, applyStrategicPatches } from '../patch/apply-patch.ts';
import { parseJsonPatch, parsePatch } from '../patch/read-patch.ts';
import { readResources } from '../resource/read-resources.ts';
import type { Resource } from '../resource/resource.ts';
import type { ResourceMap } from '../resource/resource-map.ts';
import type { SchemaLookup } from '../schema/merge-schema.ts';

export interface PatchFieldContext {
  /** Hears when one patch of the field was applied: each is a transformation of its own. */
  readonly applied?: () => void;
  readonly loader: Loader;
  readonly kustomization: Pick<Kustomization, 'patches' | 'patchesStrategicMerge' | 'patchesJson6902'>;
  readonly map: ResourceMap;
  readonly schemas: SchemaLookup;
}

/** patchesStrategicMerge: files or inline objects, each merged into the object it names. */
export function applyStrategicFiles({ kustomization, loader, map, schemas }: PatchFieldContext): void {
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

/** patches: strategic merge or JSON patches, inline or in files. */
export function applyPatches(context: PatchFieldContext): void {
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
    context.applied?.();
  }
}

/** patchesJson6902: JSON patches with their targets. */
export function applyJson6902(context: PatchFieldContext): void {
  const silent = { map: context.map, schemas: context.schemas, remembers: false };
  for (const patch of context.kustomization.patchesJson6902) {
    const { text, file } = patchText(patch, context.loader);
    inPlace({ file, field: patch.field }, () => applyJsonPatches(parseJsonPatch(text, file), patch.target, silent));
    context.applied?.();
  }
}
