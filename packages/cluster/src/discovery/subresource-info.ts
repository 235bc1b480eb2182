/** Owns what discovery says about subresources. */
import type { ResourceDefinition } from '../resources/definition.ts';

export interface SubresourceInfo {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly verbs: readonly string[];
}

const SPECIAL: Readonly<Record<string, SubresourceInfo>> = {
  scale: { group: 'autoscaling', version: 'v1', kind: 'Scale', verbs: ['get', 'patch', 'update'] },
  eviction: { group: 'policy', version: 'v1', kind: 'Eviction', verbs: ['create'] },
  token: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest', verbs: ['create'] },
  binding: { group: '', version: 'v1', kind: 'Binding', verbs: ['create'] },
  log: { group: '', version: 'v1', kind: 'Pod', verbs: ['get'] },
  exec: { group: '', version: 'v1', kind: 'PodExecOptions', verbs: ['create', 'get'] },
  attach: { group: '', version: 'v1', kind: 'PodAttachOptions', verbs: ['create', 'get'] },
  portforward: { group: '', version: 'v1', kind: 'PodPortForwardOptions', verbs: ['create', 'get'] },
  finalize: { group: '', version: 'v1', kind: 'Namespace', verbs: ['update'] },
};

export function subresourceInfo(definition: ResourceDefinition, subresource: string): SubresourceInfo {
  const special = SPECIAL[subresource];
  if (special !== undefined) return special;
  const version = definition.storedApiVersion.split('/').at(-1) ?? '';
  return { group: definition.group, version, kind: definition.kind, verbs: ['get', 'patch', 'update'] };
}
