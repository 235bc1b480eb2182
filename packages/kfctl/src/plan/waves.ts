/** Owns the order in which kinds are applied: what others need comes first, what opens doors comes after what guards them. */
import type { ObjectId } from './object-id.ts';

export const WAVES: readonly string[] = [
  'namespaces and kinds',
  'accounts, access, configuration and policies',
  'workloads',
  'routes and other custom resources',
];

export const WAVE = { namespaces: 0, foundations: 1, workloads: 2, rest: 3 } as const;

const FOUNDATION_GROUPS = new Set(['rbac.authorization.k8s.io', 'networking.k8s.io', 'policy', 'storage.k8s.io']);
// Policies come before the routes that they guard.
const POLICY_KINDS = new Set(['AuthorizationPolicy', 'RequestAuthentication', 'PeerAuthentication', 'EnvoyFilter']);
const WORKLOAD_GROUPS = new Set(['apps', 'batch', 'autoscaling']);

/** The wave of an object, 0 first. */
export function waveOf({ group, kind }: Pick<ObjectId, 'group' | 'kind'>): number {
  if (kind === 'Namespace' && group === '') return WAVE.namespaces;
  if (kind === 'CustomResourceDefinition' && group === 'apiextensions.k8s.io') return WAVE.namespaces;
  if (group === '' && kind === 'Pod') return WAVE.workloads;
  if (WORKLOAD_GROUPS.has(group)) return WAVE.workloads;
  if (group === '' || FOUNDATION_GROUPS.has(group) || POLICY_KINDS.has(kind)) return WAVE.foundations;
  return WAVE.rest;
}
