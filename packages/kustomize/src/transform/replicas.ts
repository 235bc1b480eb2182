/** replicas: the count of a workload, found by its name now or earlier. */

import { KustomizeError } from '../errors.ts';
import type { FieldSpec } from '../field/field-spec.ts';
import { overwriteScalar, visitField } from '../field/visit-field.ts';
import type { Replica } from '../kustomization/kustomization.ts';
import { isSelectedBy } from '../resource/identity.ts';
import type { Resource } from '../resource/resource.ts';
import { type Node, ScalarNode, tags } from '../yaml/node.ts';

export function setReplicas(resources: readonly Resource[], replica: Replica, specs: readonly FieldSpec[]): void {
  let found = false;
  const visit = (node: Node): void => overwriteScalar(node, new ScalarNode(String(replica.count), tags.integer));
  for (const spec of specs) {
    for (const resource of resources) {
      const ids = [...resource.previousIds(), resource.currentId()];
      if (!ids.some((id) => id.name === replica.name && isSelectedBy(id, spec))) continue;
      found = true;
      visitField(resource.node, resource.currentId(), { spec, createKind: 'scalar', visit });
    }
  }
  if (!found) {
    const kinds = specs.map((spec) => spec.kind).join(', ');
    throw new KustomizeError('TARGET_NOT_FOUND', `no resource named '${replica.name}' of the kinds ${kinds}`, {
      field: 'replicas',
    });
  }
}
