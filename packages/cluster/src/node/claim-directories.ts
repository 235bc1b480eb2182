/** Owns the way from a claim to the directory that holds its data. */
import { resources } from '@kfctl/kube';
import type { Informer, KubeObject, ResourceType } from '@kfctl/kube';

export interface Claim extends KubeObject {
  spec?: {
    storageClassName?: string;
    volumeName?: string;
    accessModes?: string[];
    volumeMode?: string;
    resources?: { requests?: Record<string, string> };
  };
  status?: { phase?: string };
}

export interface Volume extends KubeObject {
  spec?: {
    hostPath?: { path?: string };
    local?: { path?: string };
    claimRef?: { namespace?: string; name?: string; uid?: string };
    persistentVolumeReclaimPolicy?: string;
    storageClassName?: string;
    capacity?: Record<string, string>;
    accessModes?: string[];
    volumeMode?: string;
  };
  status?: { phase?: string };
}

export const claims: ResourceType<Claim> =
  resources.persistentVolumeClaims as ResourceType<KubeObject> as ResourceType<Claim>;
export const volumes: ResourceType<Volume> =
  resources.persistentVolumes as ResourceType<KubeObject> as ResourceType<Volume>;

/** The real directory behind a bound claim; undefined while it is not bound. */
export function claimDirectory(
  informers: { readonly claims: Informer<Claim>; readonly volumes: Informer<Volume> },
  namespace: string,
  name: string,
): string | undefined {
  const claim = informers.claims.get(name, namespace);
  const volume = claim?.status?.phase === 'Bound' ? informers.volumes.get(claim.spec?.volumeName ?? '') : undefined;
  return volume?.spec?.hostPath?.path ?? volume?.spec?.local?.path;
}
