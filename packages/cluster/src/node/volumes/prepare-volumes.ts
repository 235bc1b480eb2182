/** Owns the volumes of one pod: each becomes a real directory or file of the host that containers can bind. */
import { createHash } from 'node:crypto';
import { lstat, mkdir, realpath, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '@kfctl/core';
import { expandVariables } from '../pod/expand-variables.ts';
import type { ContainerSpec, VolumeMount, VolumeSpec } from '../pod/pod-spec.ts';
import type { Mount } from '../sandbox/sandbox.ts';
import { isWithin } from '../sandbox/host-mounts.ts';
import { resolveMountPoint } from '../sandbox/mount-point.ts';
import { isVolumePath, writeAtomically } from './atomic-directory.ts';
import type { VolumeFile } from './atomic-directory.ts';
import { hasPayload, renderPayload } from './file-payload.ts';
import type { PayloadContext } from './file-payload.ts';

export interface VolumeContext extends PayloadContext {
  /** The pod's own directory. */
  readonly directory: string;
  /** The directory behind a claim of the pod's namespace; undefined while it is not bound. */
  claimDirectory(claimName: string): string | undefined;
}

/** Volume name to its real place. */
export type VolumePlaces = ReadonlyMap<string, string>;

/** Makes or refreshes every volume of the pod; throws `MOUNT_FAILED` with the reason while one cannot be made. */
export async function prepareVolumes(context: VolumeContext): Promise<VolumePlaces> {
  const places = new Map<string, string>();
  for (const volume of context.pod.spec.volumes ?? []) {
    try {
      places.set(volume.name, await prepareVolume(volume, context));
    } catch (error) {
      throw new AppError('MOUNT_FAILED', `MountVolume.SetUp failed for volume "${volume.name}"`, { cause: error });
    }
  }
  return places;
}

async function prepareVolume(volume: VolumeSpec, context: VolumeContext): Promise<string> {
  const own = join(context.directory, 'volumes', volume.name);
  if (hasPayload(volume)) {
    const files = await renderPayload(volume, context);
    await writeAtomically(own, files, digestOf(files));
    return own;
  }
  if (volume.emptyDir !== undefined) {
    await mkdir(own, { recursive: true, mode: 0o777 });
    return own;
  }
  if (volume.hostPath !== undefined) return prepareHostPath(volume.hostPath.path, volume.hostPath.type ?? '');
  if (volume.persistentVolumeClaim !== undefined) return claimPlace(volume.persistentVolumeClaim.claimName, context);
  const kind = Object.keys(volume).find((key) => key !== 'name') ?? 'unknown';
  throw new AppError('MOUNT_FAILED', `volumes of the kind ${kind} are not available on the local cluster`);
}

function digestOf(files: readonly VolumeFile[]): string {
  const hash = createHash('sha256');
  for (const { path, content, mode } of files.toSorted((a, b) => (a.path < b.path ? -1 : 1))) {
    hash.update(`${path}\0${mode}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

async function claimPlace(claimName: string, { claimDirectory }: VolumeContext): Promise<string> {
  const place = claimDirectory(claimName);
  if (place === undefined) throw new AppError('MOUNT_FAILED', `persistentvolumeclaim "${claimName}" is not bound`);
  await mkdir(place, { recursive: true, mode: 0o777 });
  return realpath(place);
}

async function prepareHostPath(path: string, type: string): Promise<string> {
  if (type === 'DirectoryOrCreate') await mkdir(path, { recursive: true });
  if (type === 'FileOrCreate') await writeFile(path, '', { flag: 'a' });
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined) throw new AppError('MOUNT_FAILED', `hostPath type check failed: ${path} does not exist`);
  const stats = await stat(real);
  const wrong = (type === 'Directory' && !stats.isDirectory()) || (type === 'File' && !stats.isFile());
  if (wrong) throw new AppError('MOUNT_FAILED', `hostPath type check failed: ${path} is not a ${type.toLowerCase()}`);
  return real;
}

/** What a container binds; `environment` serves subPathExpr. */
export async function resolveMounts(
  container: ContainerSpec,
  places: VolumePlaces,
  environment: ReadonlyMap<string, string>,
): Promise<Mount[]> {
  const mounts: Mount[] = [];
  for (const mount of container.volumeMounts ?? []) {
    const place = places.get(mount.name);
    if (place === undefined) throw new AppError('CONTAINER_CONFIG', `volume "${mount.name}" does not exist`);
    const source = await resolveSubPath(place, mount, environment);
    const kind = (await stat(source)).isDirectory() ? 'directory' : 'file';
    mounts.push({ source, target: cleanTarget(mount.mountPath), kind, readOnly: mount.readOnly === true });
  }
  return mounts;
}

function cleanTarget(path: string): string {
  const target = join('/', path).replace(/\/+$/, '');
  if (target === '' || target.includes('\0'))
    throw new AppError('CONTAINER_CONFIG', `"${path}" cannot be a mount path`);
  return target;
}

/** A sub path may not lead out of its volume, not through links that a container put there either. */
async function resolveSubPath(
  place: string,
  mount: VolumeMount,
  environment: ReadonlyMap<string, string>,
): Promise<string> {
  const given = mount.subPathExpr === undefined ? mount.subPath : expandVariables(mount.subPathExpr, environment);
  if (given === undefined || given === '') return place;
  if (!isVolumePath(given))
    throw new AppError('CONTAINER_CONFIG', `"${given}" is not a path inside of volume "${mount.name}"`);
  const [root, { path }] = await Promise.all([realpath(place), resolveMountPoint(join(place, given))]);
  if (!isWithin(path, root)) throw new AppError('CONTAINER_CONFIG', `"${given}" leads out of volume "${mount.name}"`);
  if ((await lstat(path).catch(() => undefined)) === undefined) await mkdir(path, { recursive: true, mode: 0o777 });
  return path;
}

export async function removePodDirectory(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true, maxRetries: 3 });
}
