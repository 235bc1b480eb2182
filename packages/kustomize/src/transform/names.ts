/** namePrefix and nameSuffix: every object is renamed but those whose name is their meaning (CRDs, APIServices, Namespaces). */

import type { FieldSpec } from '../field/field-spec.ts';
import { overwriteScalar, visitField } from '../field/visit-field.ts';
import { isSelectedBy } from '../resource/identity.ts';
import type { Resource } from '../resource/resource.ts';
import { type Node, plainNode, textOf } from '../yaml/node.ts';

const neverRenamed = [
  { group: '', version: '', kind: 'CustomResourceDefinition' },
  { group: 'apiregistration.k8s.io', version: '', kind: 'APIService' },
  { group: '', version: '', kind: 'Namespace' },
];

interface Affix {
  readonly specs: readonly FieldSpec[];
  readonly record: (resource: Resource) => void;
  readonly rename: (name: string) => string;
}

function addAffix(resources: readonly Resource[], { specs, record, rename }: Affix): void {
  for (const resource of resources) {
    const original = resource.originalId();
    if (neverRenamed.some((type) => isSelectedBy(original, type))) continue;
    for (const spec of specs) {
      if (!isSelectedBy(original, spec)) continue;
      if (spec.path === 'metadata/name') {
        record(resource);
        resource.rememberId();
      }
      const visit = (node: Node): void => overwriteScalar(node, plainNode(rename(textOf(node))));
      visitField(resource.node, resource.currentId(), { spec, createKind: 'scalar', visit });
    }
  }
}

export function addPrefix(resources: readonly Resource[], prefix: string, specs: readonly FieldSpec[]): void {
  if (prefix === '') return;
  addAffix(resources, { specs, record: (resource) => resource.prefixes.push(prefix), rename: (name) => prefix + name });
}

export function addSuffix(resources: readonly Resource[], suffix: string, specs: readonly FieldSpec[]): void {
  if (suffix === '') return;
  addAffix(resources, { specs, record: (resource) => resource.suffixes.push(suffix), rename: (name) => name + suffix });
}
