/** namespace: moves namespaced objects, the service accounts of role bindings named `default`, and the fields of the configuration. */

import { KustomizeError } from '../errors.ts';
import type { FieldSpec } from '../field/field-spec.ts';
import { overwriteScalar, visitField } from '../field/visit-field.ts';
import { requireSequence, setScalar } from '../resource/edit-node.ts';
import { describeId, idKey, isClusterScoped } from '../resource/identity.ts';
import type { Resource } from '../resource/resource.ts';
import { type Node, isNull, stringNode, textOf } from '../yaml/node.ts';

export interface NamespaceOptions {
  readonly namespace: string;
  readonly specs: readonly FieldSpec[];
  /** Which subjects of role bindings are moved. */
  readonly subjects: 'defaultOnly' | 'allServiceAccounts' | 'none';
  /** Only fields that are empty are set. */
  readonly unsetOnly: boolean;
}

const metadataNamespace: FieldSpec = { group: '', version: '', kind: '', path: 'metadata/namespace', create: true };

export function setNamespace(resources: readonly Resource[], options: NamespaceOptions): void {
  if (options.namespace === '') return;
  for (const resource of resources) {
    resource.rememberId();
    moveOne(resource, options);
  }
  refuseConflicts(resources);
}

function moveOne(resource: Resource, options: NamespaceOptions): void {
  const type = resource.currentId();
  const isBinding = type.kind === 'RoleBinding' || type.kind === 'ClusterRoleBinding';
  const visit = (node: Node): void => setField(node, options);
  if (!isClusterScoped(type)) visitField(resource.node, type, { spec: metadataNamespace, createKind: 'scalar', visit });
  if (isBinding && options.subjects !== 'none') moveSubjects(resource, options);
  for (const spec of options.specs) {
    if (spec.path === 'metadata/namespace') continue;
    if (spec.path === 'metadata/name' && resource.apiVersion !== 'v1') continue;
    if (isBinding && spec.path === 'subjects/namespace' && isBindingKind(spec.kind)) continue;
    visitField(resource.node, type, { spec, createKind: 'scalar', visit });
  }
}

function isBindingKind(kind: string): boolean {
  return kind === 'RoleBinding' || kind === 'ClusterRoleBinding';
}

function setField(node: Node, options: NamespaceOptions): void {
  if (options.unsetOnly && !isNull(node) && textOf(node) !== '') return;
  overwriteScalar(node, stringNode(options.namespace));
}

function moveSubjects(resource: Resource, options: NamespaceOptions): void {
  const subjects = resource.node.get('subjects');
  if (subjects === undefined || isNull(subjects)) return;
  for (const subject of requireSequence(subjects, 'subjects').items) {
    if (subject.kind !== 'map') continue;
    const selected =
      options.subjects === 'defaultOnly'
        ? textOf(subject.get('name')) === 'default'
        : textOf(subject.get('kind')) === 'ServiceAccount';
    if (!selected) continue;
    if (options.unsetOnly && textOf(subject.get('namespace')) !== '') continue;
    setScalar(subject, 'namespace', stringNode(options.namespace));
  }
}

function refuseConflicts(resources: readonly Resource[]): void {
  const seen = new Set<string>();
  for (const resource of resources) {
    const id = resource.currentId();
    const key = idKey(id);
    if (seen.has(key)) {
      throw new KustomizeError(
        'RESOURCE_CONFLICT',
        `namespace transformation produces ID conflict: ${describeId(id)}`,
        { field: 'namespace' },
      );
    }
    seen.add(key);
  }
}
