/** The kustomization format (v1beta1, v1alpha1 for components) as data. */

import type { FieldSpec } from '../field/field-spec.ts';
import type { MapNode } from '../yaml/node.ts';

export interface Selector {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
  readonly labelSelector: string;
  readonly annotationSelector: string;
}

export interface Patch {
  readonly path: string;
  readonly patch: string;
  readonly target: Selector | undefined;
  readonly allowNameChange: boolean;
  readonly allowKindChange: boolean;
  readonly field: string;
  readonly line: number;
}

export interface Label {
  readonly pairs: ReadonlyMap<string, string>;
  readonly includeSelectors: boolean;
  readonly includeTemplates: boolean;
  readonly fields: readonly FieldSpec[];
}

export interface Image {
  readonly name: string;
  readonly newName: string;
  readonly newTag: string;
  readonly tagSuffix: string;
  readonly digest: string;
}

export interface Replica {
  readonly name: string;
  readonly count: number;
}

export interface FieldOptions {
  readonly delimiter: string;
  readonly index: number;
  readonly create: boolean;
}

export interface Replacement {
  readonly source: (Selector & { readonly fieldPath: string; readonly options: FieldOptions | undefined }) | undefined;
  readonly targets: readonly ReplacementTarget[] | undefined;
  readonly field: string;
}

export interface ReplacementTarget {
  readonly select: Selector | undefined;
  readonly reject: readonly Selector[];
  readonly fieldPaths: readonly string[];
  readonly options: FieldOptions | undefined;
}

export interface Var {
  readonly name: string;
  readonly target: Selector;
  readonly fieldPath: string;
}

export interface GeneratorOptions {
  readonly labels: ReadonlyMap<string, string>;
  readonly annotations: ReadonlyMap<string, string>;
  readonly disableNameSuffixHash: boolean;
  readonly immutable: boolean;
}

export interface Generator {
  readonly name: string;
  readonly namespace: string;
  readonly behavior: string;
  readonly literals: readonly string[];
  readonly files: readonly string[];
  readonly envs: readonly string[];
  readonly type: string;
  readonly options: GeneratorOptions | undefined;
  readonly field: string;
}

export interface SortOptions {
  readonly order: string;
  readonly legacy: { readonly orderFirst: readonly string[]; readonly orderLast: readonly string[] } | undefined;
}

export interface Kustomization {
  readonly kind: 'Kustomization' | 'Component';
  readonly resources: readonly string[];
  readonly components: readonly string[];
  readonly crds: readonly string[];
  readonly configurations: readonly string[];
  readonly namePrefix: string;
  readonly nameSuffix: string;
  readonly namespace: string;
  readonly labels: readonly Label[];
  readonly commonLabels: ReadonlyMap<string, string>;
  readonly commonAnnotations: ReadonlyMap<string, string>;
  readonly patches: readonly Patch[];
  readonly patchesStrategicMerge: readonly string[];
  readonly patchesJson6902: readonly Patch[];
  readonly images: readonly Image[];
  readonly replicas: readonly Replica[];
  readonly replacements: readonly (Replacement | { readonly path: string })[];
  readonly vars: readonly Var[];
  readonly configMapGenerator: readonly Generator[];
  readonly secretGenerator: readonly Generator[];
  readonly generatorOptions: GeneratorOptions | undefined;
  readonly generators: readonly string[];
  readonly transformers: readonly string[];
  readonly validators: readonly string[];
  readonly openapiPath: string;
  readonly openapiVersion: string;
  readonly sortOptions: SortOptions | undefined;
  readonly buildMetadata: readonly string[];
  /** What is worth a word though it is accepted. */
  readonly warnings: readonly string[];
  readonly fileName: string;
  readonly node: MapNode;
}
