/** Owns the question which pods a changed ConfigMap or Secret concerns. */
import type { ContainerSpec, LocalPod, ProjectedSource, VolumeSpec } from './pod-spec.ts';

/** True when the pod mounts the object or takes variables from it. */
export function refersTo(pod: LocalPod, kind: 'ConfigMap' | 'Secret', name: string): boolean {
  const containers = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])];
  return (
    (pod.spec.volumes ?? []).some((volume) => mounts(volume, kind, name)) ||
    containers.some((container) => reads(container, kind, name))
  );
}

function mounts(volume: VolumeSpec, kind: 'ConfigMap' | 'Secret', name: string): boolean {
  const own = kind === 'ConfigMap' ? volume.configMap?.name : volume.secret?.secretName;
  if (own === name) return true;
  const isSource = ({ configMap, secret }: ProjectedSource): boolean =>
    (kind === 'ConfigMap' ? configMap : secret)?.name === name;
  return volume.projected?.sources?.some(isSource) === true;
}

function reads({ env = [], envFrom = [] }: ContainerSpec, kind: 'ConfigMap' | 'Secret', name: string): boolean {
  const isConfigMap = kind === 'ConfigMap';
  return (
    env.some(({ valueFrom }) => (isConfigMap ? valueFrom?.configMapKeyRef : valueFrom?.secretKeyRef)?.name === name) ||
    envFrom.some(({ configMapRef, secretRef }) => (isConfigMap ? configMapRef : secretRef)?.name === name)
  );
}
