/** Patches applied to the objects of a build. A patch may remove objects, but never changes a name, namespace or kind unless allowed to. */

import { KustomizeError } from '../errors.ts';
import type { Selector } from '../kustomization/kustomization.ts';
import type { Resource } from '../resource/resource.ts';
import type { ResourceMap } from '../resource/resource-map.ts';
import type { SchemaLookup } from '../schema/merge-schema.ts';
import { selectResources } from '../transform/select.ts';
import { type Json, type PatchOperation, applyJsonPatch } from './json-patch.ts';
import { MapNode, copyNode, stringNode } from '../yaml/node.ts';
import { mapFromJson, toJson } from '../yaml/json.ts';
import { strategicMerge } from './strategic-merge.ts';

export interface PatchContext {
  /** False for patchesJson6902: only there, references are not looked at again because of a patch alone. */
  readonly remembers?: boolean;
  readonly map: ResourceMap;
  readonly schemas: SchemaLookup;
}

const historyMark = 'internal.config.kubernetes.io/history';

/** Merges one patch object into one resource. */
export function mergeIntoResource(resource: Resource, patch: Resource, schemas: SchemaLookup): void {
  const { name, namespace, kind } = resource;
  if (patch.allowNameChange || patch.allowKindChange) resource.rememberId();
  const hasHistory = resource.hasHistory();
  // The reference keeps an object's history in its annotations: a patch that throws those away throws away the history too.
  if (hasHistory) resource.setAnnotations(new Map([...resource.annotations(), [historyMark, '']]));
  const merged = strategicMerge(resource.node, copyNode(patch.node), schemas);
  if (merged === undefined) {
    resource.node = new MapNode();
    return;
  }
  resource.node = merged;
  if (hasHistory) takeMark(resource);
  if (!patch.allowKindChange) setKind(resource, kind);
  if (!patch.allowNameChange) resource.name = name;
  resource.namespace = namespace;
}

function takeMark(resource: Resource): void {
  const metadata = resource.node.get('metadata');
  const annotations = metadata?.kind === 'map' ? metadata.get('annotations') : undefined;
  if (annotations?.kind === 'map' && annotations.get(historyMark) !== undefined) {
    annotations.remove(historyMark);
    return;
  }
  resource.forgetNames();
  resource.forgetOrigin();
}

function setKind(resource: Resource, kind: string): void {
  if (resource.kind !== kind) resource.node.set('kind', stringNode(kind));
}

/**
 * Merges a copy of the patch whose labels and annotations are text: the reference takes this way for targets and for
 * patchesStrategicMerge, so that null removes no label there and 1 becomes "1".
 */
function mergeCopy(resource: Resource, patch: Resource, schemas: SchemaLookup): void {
  const copy = patch.copy();
  copy.setLabels(copy.labels());
  copy.setAnnotations(copy.annotations());
  copy.setType(resource.apiVersion, patch.kind);
  mergeIntoResource(resource, copy, schemas);
}

/** Applies strategic merge patches of `patches:`, each to the object it names or to all that the target selects. */
export function applyStrategicPatches(
  objects: readonly Resource[],
  target: Selector | undefined,
  context: PatchContext,
): void {
  for (const patch of objects) {
    if (target === undefined) {
      mergeIntoResource(context.map.requireById(patch.originalId()), patch, context.schemas);
      continue;
    }
    for (const resource of selectResources(context.map.resources, target)) mergeCopy(resource, patch, context.schemas);
    context.map.dropGone();
  }
}

/** Applies the patches of `patchesStrategicMerge:`, each to the object it names. */
export function applyNamedPatches(objects: readonly Resource[], context: PatchContext): void {
  for (const patch of objects) {
    mergeCopy(context.map.requireById(patch.originalId()), patch, context.schemas);
    context.map.dropGone();
  }
}

/** Applies a JSON patch to all objects that the target selects. */
export function applyJsonPatches(
  operations: readonly PatchOperation[],
  target: Selector | undefined,
  { map, remembers = true }: PatchContext,
): void {
  if (target === undefined) {
    throw new KustomizeError('PATCH_INVALID', 'must specify a target for a JSON patch', {
      field: 'target',
      hint: 'add target: with kind and name',
    });
  }
  for (const resource of selectResources(map.resources, target)) {
    if (remembers) resource.rememberId();
    patchResource(resource, operations, remembers);
  }
}

/**
 * Applies operations to one resource. The annotations of an object with a history are never missing here: the reference keeps the history
 * in them, so that adding one annotation works.
 */
function patchResource(resource: Resource, operations: readonly PatchOperation[], lenient: boolean): void {
  if (resource.hasHistory()) resource.setAnnotations(new Map([...resource.annotations(), [historyMark, '']]));
  const document = toJson(resource.node);
  applyJsonPatch(document, operations);
  if (!hasMark(document)) resource.forgetOrigin();
  const annotated = canBeAnnotated(document);
  if (!annotated && !lenient) throw new KustomizeError('PATCH_FAILED', 'the annotations became a list without names');
  if (!annotated) resource.forgetNames();
  if (!isObject(document)) throw new KustomizeError('PATCH_FAILED', 'a JSON patch replaced the whole object');
  removeMarks(document);
  resource.node = mapFromJson(document);
  resource.setAnnotations(annotated ? resource.annotations() : new Map());
}

/** True while the annotations are those that the object had before. */
function hasMark(document: Json): boolean {
  const metadata = isObject(document) ? document['metadata'] : undefined;
  const annotations = metadata !== undefined && isObject(metadata) ? metadata['annotations'] : undefined;
  return annotations !== undefined && isObject(annotations) && Object.hasOwn(annotations, historyMark);
}

/**
 * False when the annotations became a list whose keys (see `pairs`) are not all names: the reference then loses them, with what it kept
 * in them.
 */
function canBeAnnotated(document: Json): boolean {
  const metadata = isObject(document) ? document['metadata'] : undefined;
  const annotations = metadata !== undefined && isObject(metadata) ? metadata['annotations'] : undefined;
  if (!Array.isArray(annotations)) return true;
  return annotations.every(
    (item, index) => index % 2 === 1 || (typeof item !== 'object' && item !== '') || item === null,
  );
}

/** Operations may have copied or moved the annotations anywhere. */
function removeMarks(value: Json): void {
  if (typeof value !== 'object' || value === null) return;
  if (isObject(value)) delete value[historyMark];
  for (const child of Object.values(value)) removeMarks(child);
}

function isObject(value: Json): value is { [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
