/** Owns pod templates: their identity, and the pods that are made from them. */
import { createHash } from 'node:crypto';
import type { KubeObject, PodTemplate } from '@kfctl/kube';
import { cloneJson, isObject } from '../../schema/json.ts';
import type { LocalPod } from '../../node/pod/pod-spec.ts';
import { ownedBy } from './ownership.ts';

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
export const HASH_LABEL = 'pod-template-hash';

/** Text that is equal for equal JSON, whatever the order of its fields. */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  if (!isObject(value)) return JSON.stringify(value) ?? 'null';
  const fields = Object.keys(value)
    .filter((key) => value[key] !== undefined)
    .toSorted();
  return `{${fields.map((key) => `${JSON.stringify(key)}:${canonicalJson(value[key])}`).join(',')}}`;
}

/** Ten letters that follow from the template; another `collision` gives others. */
export function templateHash(template: unknown, collision = 0): string {
  const digest = createHash('sha256')
    .update(`${collision} ${canonicalJson(template)}`)
    .digest();
  return [...digest.subarray(0, 10)].map((byte) => ALPHABET[byte % ALPHABET.length]).join('');
}

/** True when both make the same pods; the hash label does not count. */
export function isSameTemplate(a: PodTemplate | undefined, b: PodTemplate | undefined): boolean {
  return canonicalJson(withoutHash(a)) === canonicalJson(withoutHash(b));
}

function withoutHash(template: PodTemplate | undefined): unknown {
  const { [HASH_LABEL]: _hash, ...labels } = template?.metadata?.labels ?? {};
  const { creationTimestamp: _time, ...metadata } = (template?.metadata ?? {}) as Record<string, unknown>;
  return { ...template, metadata: { ...metadata, labels } };
}

export interface PodShape {
  /** Full name; a generated one after the owner's when absent. */
  readonly name?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly finalizers?: readonly string[];
}

/** A pod of the template, controlled by its owner. */
export function podFromTemplate(owner: KubeObject, template: PodTemplate | undefined, shape: PodShape = {}): LocalPod {
  const { name = '', namespace = '' } = owner.metadata;
  const annotations = { ...template?.metadata?.annotations, ...shape.annotations };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      ...(shape.name === undefined ? { generateName: `${name}-` } : { name: shape.name }),
      namespace,
      labels: { ...template?.metadata?.labels, ...shape.labels },
      ...(Object.keys(annotations).length === 0 ? {} : { annotations }),
      ...(shape.finalizers === undefined ? {} : { finalizers: [...shape.finalizers] }),
      ownerReferences: [ownedBy(owner)],
    },
    spec: cloneJson(template?.spec ?? {}) as unknown as LocalPod['spec'],
  };
}
