/** Owns the Lease objects of the speakers: their names, labels and fields. No I/O. */
import { randomToken } from '@kfctl/core';
import type { KubeObject, Lease } from '@kfctl/kube';
import { bytesOf, parseAddress } from '../address/address.ts';

export const LEASE_LABELS = { app: 'metallb', component: 'speaker' } as const;
export const LEASE_SELECTOR = 'app=metallb,component=speaker';

/** Of a node: says that its speaker lives. */
export function nodeLeaseName(node: string): string {
  return `speaker-${node}`;
}

/** Of an address: says whose it is. IPv6 without colons, which names may not hold. */
export function addressLeaseName(address: string): string {
  const parsed = parseAddress(address);
  if (parsed === undefined || parsed.family === 'IPv4') return `l2-${address}`;
  return `l2-${bytesOf(parsed).toString('hex')}`;
}

const WANTED_BY = 'metallb.io/wanted-by';

/** The node that asks the owner for the address, because it is preferred; empty: none. */
export function suitorOf(lease: Lease | undefined): string {
  return lease?.metadata.annotations?.[WANTED_BY] ?? '';
}

/** The same lease, with the node's request on it. */
export function renderSuit(lease: Lease, node: string): Lease {
  const { metadata } = lease;
  return { ...lease, metadata: { ...metadata, annotations: { ...metadata.annotations, [WANTED_BY]: node } } };
}

export interface LeaseFields {
  readonly namespace: string;
  readonly name: string;
  readonly holder: string;
  readonly seconds: number;
  /** What is there now: keeps its version, so that a write in between is refused. */
  readonly present?: Lease | undefined;
}

export function renderLease({ namespace, name, holder, seconds, present }: LeaseFields): Lease {
  const now = new Date().toISOString().replace('Z', '000Z');
  const moves = present !== undefined && present.spec?.holderIdentity !== holder;
  const metadata: KubeObject['metadata'] = present?.metadata ?? { name, namespace, labels: { ...LEASE_LABELS } };
  // A request is to the owner that it was made to.
  const { [WANTED_BY]: _suitor, ...annotations } = metadata.annotations ?? {};
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    // Two writes within a microsecond must not look the same: an unchanged object is no sign of life.
    metadata: { ...metadata, annotations: { ...annotations, 'metallb.io/beat': randomToken(6) } },
    spec: {
      holderIdentity: holder,
      leaseDurationSeconds: seconds,
      acquireTime: moves || present?.spec?.acquireTime === undefined ? now : present.spec.acquireTime,
      renewTime: now,
      leaseTransitions: (present?.spec?.leaseTransitions ?? 0) + (moves ? 1 : 0),
    },
  };
}

export function holderOf(lease: Lease | undefined): string {
  return lease?.spec?.holderIdentity ?? '';
}

export function versionOf(lease: Lease | undefined): string {
  return lease?.metadata.resourceVersion ?? '';
}
