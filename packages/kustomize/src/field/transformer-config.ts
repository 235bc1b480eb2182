/** Which fields the transformers of a build work on: the defaults, plus what configuration files and CRDs add. */

import {
  commonAnnotations,
  commonLabels,
  imageFields,
  nameFields,
  namespaceFields,
  replicaFields,
  templateLabels,
  varReferences,
} from './default-fields.ts';
import { type FieldSpec, mergeFieldSpecs } from './field-spec.ts';
import { type NameReference, nameReferences } from './name-references.ts';

export interface TransformerConfig {
  readonly namePrefix: readonly FieldSpec[];
  readonly nameSuffix: readonly FieldSpec[];
  readonly namespace: readonly FieldSpec[];
  readonly commonLabels: readonly FieldSpec[];
  readonly templateLabels: readonly FieldSpec[];
  /** More fields for `labels:`, whatever its entries include. */
  readonly labels: readonly FieldSpec[];
  readonly commonAnnotations: readonly FieldSpec[];
  readonly nameReference: readonly NameReference[];
  readonly varReference: readonly FieldSpec[];
  readonly images: readonly FieldSpec[];
  readonly replicas: readonly FieldSpec[];
}

export const emptyConfig: TransformerConfig = {
  namePrefix: [],
  nameSuffix: [],
  namespace: [],
  commonLabels: [],
  templateLabels: [],
  labels: [],
  commonAnnotations: [],
  nameReference: [],
  varReference: [],
  images: [],
  replicas: [],
};

export const defaultConfig: TransformerConfig = {
  namePrefix: nameFields,
  nameSuffix: nameFields,
  namespace: namespaceFields,
  commonLabels,
  templateLabels,
  labels: [],
  commonAnnotations,
  nameReference: nameReferences,
  varReference: varReferences,
  images: imageFields,
  replicas: replicaFields,
};

function mergeReferences(known: readonly NameReference[], added: readonly NameReference[]): readonly NameReference[] {
  const merged = known.slice();
  for (const reference of added) {
    const { group, version, kind } = reference.target;
    const index = merged.findIndex(
      ({ target }) => target.group === group && target.version === version && target.kind === kind,
    );
    const same = merged[index];
    if (same === undefined) merged.push(reference);
    else merged[index] = { target: same.target, referrers: mergeFieldSpecs(same.referrers, reference.referrers) };
  }
  return merged;
}

/** Adds what `right` has and `left` has not. */
export function mergeConfigs(left: TransformerConfig, right: TransformerConfig): TransformerConfig {
  if (left === right || right === emptyConfig) return left;
  // The built-in specs are in each other's way nowhere.
  if (left === emptyConfig && right === defaultConfig) return right;
  return {
    namePrefix: mergeFieldSpecs(left.namePrefix, right.namePrefix),
    nameSuffix: mergeFieldSpecs(left.nameSuffix, right.nameSuffix),
    namespace: mergeFieldSpecs(left.namespace, right.namespace),
    commonLabels: mergeFieldSpecs(left.commonLabels, right.commonLabels),
    templateLabels: mergeFieldSpecs(left.templateLabels, right.templateLabels),
    labels: mergeFieldSpecs(left.labels, right.labels),
    commonAnnotations: mergeFieldSpecs(left.commonAnnotations, right.commonAnnotations),
    nameReference: mergeReferences(left.nameReference, right.nameReference),
    varReference: mergeFieldSpecs(left.varReference, right.varReference),
    images: mergeFieldSpecs(left.images, right.images),
    replicas: mergeFieldSpecs(left.replicas, right.replicas),
  };
}
