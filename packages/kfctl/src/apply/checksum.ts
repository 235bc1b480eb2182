/** Owns the checksum on pod templates: a changed ConfigMap or Secret restarts the workloads that read it. */
import { createHash } from 'node:crypto';
import type { UnknownObject } from '@kfctl/kube';
import { keyOfId } from '../plan/object-id.ts';
import { withAnnotation } from './ownership.ts';

export const CHECKSUM_ANNOTATION = 'kfctl.kubeflow.org/checksum';

/** Objects as they are in the cluster now, by `keyOfId`. */
export type AppliedObjects = ReadonlyMap<string, UnknownObject>;

/** The object with the checksum of the ConfigMaps and Secrets that its pods read, among those that were applied. */
export function withChecksum(object: UnknownObject, applied: AppliedObjects): UnknownObject {
  const template = podTemplate(object);
  if (template === undefined) return object;
  const found = [...references(template['spec'])].toSorted().flatMap((reference) => {
    const [kind = '', name = ''] = reference.split('/');
    const source = applied.get(keyOfId({ group: '', kind, namespace: object.metadata.namespace ?? '', name }));
    return source === undefined ? [] : [[reference, source['data'] ?? {}, source['binaryData'] ?? {}]];
  });
  if (found.length === 0) return object;
  const checksum = createHash('sha256').update(stableJson(found)).digest('hex');
  const spec = object['spec'] as Record<string, unknown>;
  return { ...object, spec: { ...spec, template: withAnnotation(template, CHECKSUM_ANNOTATION, checksum) } };
}

/** `ConfigMap/name` and `Secret/name` of everything that a pod template mounts or takes into its environment. */
export function podReferences(object: UnknownObject): ReadonlySet<string> {
  const template = podTemplate(object);
  return template === undefined ? new Set() : references(template['spec']);
}

function podTemplate(object: UnknownObject): UnknownObject | undefined {
  const template = (object['spec'] as { template?: unknown } | undefined)?.template;
  if (typeof template !== 'object' || template === null || !('spec' in template)) return undefined;
  const { metadata } = template as { metadata?: UnknownObject['metadata'] };
  return { ...(template as unknown as UnknownObject), metadata: metadata ?? {} };
}

const REFERENCE_FIELDS: Readonly<Record<string, readonly [kind: string, nameField: string]>> = {
  configMap: ['ConfigMap', 'name'],
  configMapRef: ['ConfigMap', 'name'],
  configMapKeyRef: ['ConfigMap', 'name'],
  secret: ['Secret', 'secretName'],
  secretRef: ['Secret', 'name'],
  secretKeyRef: ['Secret', 'name'],
};

function references(value: unknown, found: Set<string> = new Set()): Set<string> {
  if (typeof value !== 'object' || value === null) return found;
  for (const [key, child] of Object.entries(value)) {
    const field = REFERENCE_FIELDS[key];
    if (field !== undefined && typeof child === 'object' && child !== null) {
      const record = child as Record<string, unknown>;
      const name = record[field[1]] ?? record['name'];
      if (typeof name === 'string') found.add(`${field[0]}/${name}`);
    }
    references(child, found);
  }
  return found;
}

/** JSON with sorted keys. */
function stableJson(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).toSorted(([left], [right]) => (left < right ? -1 : 1)))
      : inner,
  );
}
