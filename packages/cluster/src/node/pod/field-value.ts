/** Owns the downward API: what a pod's own fields and resources read as text. */
import { availableParallelism, totalmem } from 'node:os';
import { AppError } from '@kfctl/core';
import { parseQuantity } from '../../schema/quantity.ts';
import type { ContainerSpec, FieldRef, LocalPod, ResourceFieldRef } from './pod-spec.ts';

export interface PodAddresses {
  readonly podIp: string;
  readonly hostIp: string;
}

/** The value of a `fieldRef`; throws `POD_FIELD` for a path that Kubernetes does not offer. */
export function fieldValue(pod: LocalPod, ref: FieldRef, addresses: PodAddresses): string {
  const { metadata, spec } = pod;
  const keyed = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(ref.fieldPath);
  if (keyed?.[2] !== undefined) {
    const map = keyed[1] === 'labels' ? metadata.labels : metadata.annotations;
    return map?.[keyed[2]] ?? '';
  }
  const simple: Readonly<Record<string, () => string>> = {
    'metadata.name': () => metadata.name ?? '',
    'metadata.namespace': () => metadata.namespace ?? '',
    'metadata.uid': () => metadata.uid ?? '',
    'metadata.labels': () => renderMap(metadata.labels),
    'metadata.annotations': () => renderMap(metadata.annotations),
    'spec.nodeName': () => spec.nodeName ?? '',
    'spec.serviceAccountName': () => spec.serviceAccountName ?? 'default',
    'status.hostIP': () => addresses.hostIp,
    'status.hostIPs': () => addresses.hostIp,
    'status.podIP': () => addresses.podIp,
    'status.podIPs': () => addresses.podIp,
  };
  const read = Object.hasOwn(simple, ref.fieldPath) ? simple[ref.fieldPath] : undefined;
  if (read === undefined) throw new AppError('POD_FIELD', `unsupported fieldPath: ${ref.fieldPath}`);
  return read();
}

function renderMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.entries(map ?? {})
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join('\n');
}

const NANO = 1_000_000_000n;

/** The value of a `resourceFieldRef` in units of its divisor, rounded up; without a limit the machine's capacity. */
export function resourceValue(container: ContainerSpec, ref: ResourceFieldRef): string {
  const [kind = '', resource = ''] = ref.resource.split('.', 2);
  const given = kind === 'limits' ? container.resources?.limits : container.resources?.requests;
  const amount = parseQuantity(given?.[resource])?.nano ?? (kind === 'limits' ? capacityOf(resource) : 0n);
  const divisor = parseQuantity(ref.divisor ?? '1')?.nano ?? NANO;
  const unit = divisor === 0n ? NANO : divisor;
  return String((amount + unit - 1n) / unit);
}

function capacityOf(resource: string): bigint {
  if (resource === 'cpu') return BigInt(availableParallelism()) * NANO;
  return resource === 'memory' ? BigInt(totalmem()) * NANO : 0n;
}
