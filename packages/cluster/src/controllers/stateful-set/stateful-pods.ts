/** Owns the pods of a StatefulSet: their names, identity and claims. Pure. */
import type { Workload } from '@kfctl/kube';
import type { Claim } from '../../node/claim-directories.ts';
import type { LocalPod, VolumeSpec } from '../../node/pod/pod-spec.ts';
import { cloneJson } from '../../schema/json.ts';
import { REVISION_LABEL } from '../workload/revisions.ts';
import { podFromTemplate } from '../workload/template.ts';

export function ordinalOf(set: Workload, pod: LocalPod): number | undefined {
  const prefix = `${set.metadata.name ?? ''}-`;
  const { name = '' } = pod.metadata;
  const digits = name.startsWith(prefix) ? name.slice(prefix.length) : '';
  return /^\d+$/.test(digits) ? Number(digits) : undefined;
}

export function firstOrdinal({ spec }: Workload): number {
  return (spec?.['ordinals'] as { start?: number } | undefined)?.start ?? 0;
}

function claimTemplates({ spec }: Workload): readonly Claim[] {
  return (spec?.['volumeClaimTemplates'] ?? []) as readonly Claim[];
}

function claimName(set: Workload, template: Claim, ordinal: number): string {
  return `${template.metadata.name ?? ''}-${set.metadata.name ?? ''}-${ordinal}`;
}

/** Claims stay when the set is scaled down or deleted: they hold the data. */
export function claimsOf(set: Workload, ordinal: number): Claim[] {
  return claimTemplates(set).map((template) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: claimName(set, template, ordinal),
      namespace: set.metadata.namespace ?? '',
      labels: { ...template.metadata.labels, ...set.spec?.selector?.matchLabels },
      ...(template.metadata.annotations === undefined ? {} : { annotations: template.metadata.annotations }),
    },
    spec: cloneJson(template.spec ?? {}),
  }));
}

export function statefulPod(set: Workload, ordinal: number, hash: string): LocalPod {
  const name = `${set.metadata.name ?? ''}-${ordinal}`;
  const labels = {
    'statefulset.kubernetes.io/pod-name': name,
    'apps.kubernetes.io/pod-index': String(ordinal),
    [REVISION_LABEL]: hash,
  };
  const pod = podFromTemplate(set, set.spec?.template, { name, labels });
  const own = new Set(claimTemplates(set).map(({ metadata }) => metadata.name));
  const volumes: VolumeSpec[] = claimTemplates(set).map((template) => ({
    name: template.metadata.name ?? '',
    persistentVolumeClaim: { claimName: claimName(set, template, ordinal) },
  }));
  const others = (pod.spec.volumes ?? []).filter((volume) => !own.has(volume.name));
  const subdomain = set.spec?.['serviceName'];
  return {
    ...pod,
    spec: {
      ...pod.spec,
      hostname: name,
      ...(typeof subdomain === 'string' && subdomain !== '' ? { subdomain } : {}),
      ...(volumes.length + others.length === 0 ? {} : { volumes: [...others, ...volumes] }),
    },
  };
}
