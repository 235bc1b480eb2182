/** labels, commonLabels and commonAnnotations: entries in the maps that field specs lead to. */

import { KustomizeError } from '../errors.ts';
import { metadataLabels } from '../field/default-fields.ts';
import { type FieldSpec, mergeFieldSpecs } from '../field/field-spec.ts';
import type { TransformerConfig } from '../field/transformer-config.ts';
import { visitField } from '../field/visit-field.ts';
import type { Label } from '../kustomization/kustomization.ts';
import { setScalar } from '../resource/edit-node.ts';
import type { Resource } from '../resource/resource.ts';
import { type Node, type ScalarNode, isNull, stringNode } from '../yaml/node.ts';

/** Sets every entry in every field; missing maps are made where the spec says so. */
export function setEntries(
  resources: readonly Resource[],
  entries: ReadonlyMap<string, string>,
  specs: readonly FieldSpec[],
): void {
  if (entries.size === 0) return;
  for (const resource of resources) {
    const type = resource.currentId();
    // One node for all fields of an object: the reference shares it too, so that a later change of one label changes its copies.
    const values = new Map([...entries].map(([key, value]) => [key, stringNode(value)]));
    const visit = (node: Node): void => addEntries(node, values);
    for (const spec of specs) visitField(resource.node, type, { spec, createKind: 'map', visit });
  }
}

function addEntries(node: Node, entries: ReadonlyMap<string, ScalarNode>): void {
  if (isNull(node)) return;
  if (node.kind !== 'map')
    throw new KustomizeError('FIELD_INVALID', `labels and annotations are maps, found a ${node.kind}`, {
      line: node.line,
    });
  for (const [key, value] of entries) setScalar(node, key, value);
}

/** The fields that one entry of `labels:` is written to. */
export function labelFields(label: Label, config: TransformerConfig): readonly FieldSpec[] {
  const own = mergeFieldSpecs(label.fields, config.labels);
  if (label.includeSelectors) return mergeFieldSpecs(own, config.commonLabels);
  const fields = label.includeTemplates ? mergeFieldSpecs(own, config.templateLabels) : own;
  return mergeFieldSpecs(fields, [metadataLabels]);
}
