/** Owns storage: the StorageClass `local`, whose volumes are directories of the cluster's data directory. */
import { mkdir, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { isKubeError, resources } from '@kfctl/kube';
import type { KubeObject, ObjectKey } from '@kfctl/kube';
import { claims, volumes } from '../../node/claim-directories.ts';
import type { Claim, Volume } from '../../node/claim-directories.ts';
import { isWithin } from '../../node/sandbox/host-mounts.ts';
import { parseQuantity } from '../../schema/quantity.ts';
import { tell } from '../controller.ts';
import type { Controller, ControllerDeps } from '../controller.ts';
import { writeStatus } from '../workload/write-status.ts';

const CLASS = 'local';
const PROVISIONER = 'kfctl.kubeflow.org/directory';
const PROVISIONED_BY = 'pv.kubernetes.io/provisioned-by';
const COMPONENT = 'persistentvolume-controller';

export async function ensureStorageClass({ client }: ControllerDeps): Promise<void> {
  const storageClass = {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: { name: CLASS, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } },
    provisioner: PROVISIONER,
    reclaimPolicy: 'Delete',
    volumeBindingMode: 'Immediate',
  };
  try {
    await client.create(resources.storageClasses, storageClass);
  } catch (error) {
    if (!isKubeError(error, 'AlreadyExists')) throw error;
  }
}

/** `directory` holds one directory a volume; it must be on a disk that stays. */
export function claimController(deps: ControllerDeps, directory: string): Controller {
  const ofClaim = (volume: KubeObject): readonly ObjectKey[] => {
    const { namespace, name } = (volume as Volume).spec?.claimRef ?? {};
    return namespace !== undefined && name !== undefined ? [{ namespace, name }] : pending(deps);
  };
  return {
    name: 'claims',
    concurrency: 1,
    watches: [{ type: claims }, { type: volumes, keys: ofClaim }],
    reconcile: async (key) => {
      const claim = await deps.client.get(claims, key.name, { namespace: key.namespace });
      await releaseOthers(deps, { key, claim, directory });
      if (claim !== undefined && claim.metadata.deletionTimestamp === undefined)
        await bindClaim(deps, claim, directory);
      return undefined;
    },
  };
}

function pending(deps: ControllerDeps): ObjectKey[] {
  const waiting = deps.informers
    .of(claims)
    .list()
    .filter(({ status }) => status?.phase !== 'Bound');
  return waiting.map(({ metadata }) => ({ name: metadata.name ?? '', namespace: metadata.namespace ?? '' }));
}

async function bindClaim(deps: ControllerDeps, claim: Claim, directory: string): Promise<void> {
  if (claim.status?.phase === 'Bound') return;
  const { items } = await deps.client.list(volumes);
  const volume =
    items.find((candidate) => candidate.metadata.name === claim.spec?.volumeName) ??
    items.find((candidate) => suits(candidate, claim));
  const wantsOurs = (claim.spec?.storageClassName ?? CLASS) === CLASS && (claim.spec?.volumeName ?? '') === '';
  const bound = volume ?? (wantsOurs ? await provision(deps, claim, directory) : undefined);
  if (bound === undefined) {
    const status = { phase: 'Pending' };
    return writeStatus(deps, claims, { object: claim, status });
  }
  await tie(deps, claim, bound);
}

/** A volume that is free (or kept for this claim), of the class, large enough and as shared as asked. */
function suits({ spec, status }: Volume, claim: Claim): boolean {
  const { uid, name, namespace } = claim.metadata;
  const reference = spec?.claimRef;
  if (reference !== undefined)
    return reference.name === name && reference.namespace === namespace && (reference.uid ?? uid) === uid;
  if (status?.phase !== 'Available' && status?.phase !== undefined) return false;
  if ((spec?.storageClassName ?? '') !== (claim.spec?.storageClassName ?? CLASS)) return false;
  const asked = parseQuantity(claim.spec?.resources?.requests?.['storage'] ?? '0')?.nano ?? 0n;
  const offered = parseQuantity(spec?.capacity?.['storage'] ?? '0')?.nano ?? 0n;
  return (
    offered >= asked && (claim.spec?.accessModes ?? []).every((mode) => spec?.accessModes?.includes(mode) === true)
  );
}

async function provision(deps: ControllerDeps, claim: Claim, directory: string): Promise<Volume> {
  const { name = '', namespace = '', uid = '' } = claim.metadata;
  const volumeName = `pvc-${uid}`;
  const path = join(directory, volumeName);
  await mkdir(path, { recursive: true, mode: 0o777 });
  const volume: Volume = {
    apiVersion: 'v1',
    kind: 'PersistentVolume',
    metadata: { name: volumeName, annotations: { [PROVISIONED_BY]: PROVISIONER } },
    spec: {
      capacity: { storage: claim.spec?.resources?.requests?.['storage'] ?? '1Gi' },
      accessModes: claim.spec?.accessModes ?? ['ReadWriteOnce'],
      persistentVolumeReclaimPolicy: 'Delete',
      storageClassName: CLASS,
      volumeMode: 'Filesystem',
      hostPath: { path: await realpath(path) },
      claimRef: { ...reference(claim) },
    },
  };
  const created = await deps.client.create(volumes, volume);
  const message = `Successfully provisioned volume ${volumeName}`;
  tell(deps, COMPONENT, { object: asClaim(claim), type: 'Normal', reason: 'ProvisioningSucceeded', message });
  deps.log.debug('volume provisioned', { claim: name, namespace, volume: volumeName });
  return created;
}

function asClaim(claim: Claim): Claim {
  return { ...claim, apiVersion: 'v1', kind: 'PersistentVolumeClaim' };
}

function reference(claim: Claim): Record<string, string> {
  const { name = '', namespace = '', uid = '' } = claim.metadata;
  return { apiVersion: 'v1', kind: 'PersistentVolumeClaim', name, namespace, uid };
}

async function tie(deps: ControllerDeps, claim: Claim, volume: Volume): Promise<void> {
  const { name = '', namespace = '' } = claim.metadata;
  const volumeName = volume.metadata.name ?? '';
  await deps.client.patch(volumes, volumeName, {
    patch: { kind: 'merge', body: { spec: { claimRef: reference(claim) } } },
  });
  await writeStatus(deps, volumes, { object: volume, status: { phase: 'Bound' } });
  if (claim.spec?.volumeName !== volumeName) {
    const storageClassName = claim.spec?.storageClassName ?? volume.spec?.storageClassName ?? '';
    const body = { spec: { volumeName, storageClassName } };
    await deps.client.patch(claims, name, { namespace, patch: { kind: 'merge', body } });
  }
  const status = { phase: 'Bound', accessModes: volume.spec?.accessModes ?? [], capacity: volume.spec?.capacity ?? {} };
  await writeStatus(deps, claims, { object: claim, status });
}

interface Release {
  readonly key: ObjectKey;
  readonly claim: Claim | undefined;
  readonly directory: string;
}

/** Volumes of an earlier claim of this name: deleted with their data, or kept for a person to look at. */
async function releaseOthers(deps: ControllerDeps, { key, claim, directory }: Release): Promise<void> {
  const isStale = ({ spec }: Volume): boolean => {
    const { name, namespace, uid } = spec?.claimRef ?? {};
    return name === key.name && namespace === key.namespace && uid !== undefined && uid !== claim?.metadata.uid;
  };
  for (const volume of deps.informers.of(volumes).list().filter(isStale)) {
    const path = volume.spec?.hostPath?.path ?? '';
    const isOurs = volume.metadata.annotations?.[PROVISIONED_BY] === PROVISIONER;
    if (volume.spec?.persistentVolumeReclaimPolicy === 'Delete' && isOurs) {
      // Only what this controller made, whatever the object says by now.
      const root = await realpath(directory).catch(() => directory);
      if (isWithin(path, root) && path !== root) await rm(path, { recursive: true, force: true });
      await deps.client.delete(volumes, volume.metadata.name ?? '');
    } else await writeStatus(deps, volumes, { object: volume, status: { phase: 'Released' } });
  }
}
