/** Owns what the files of configMap, secret, downwardAPI and projected volumes hold. */
import { AppError } from '@kfctl/core';
import { fieldValue, resourceValue } from '../pod/field-value.ts';
import type { PodAddresses } from '../pod/field-value.ts';
import type { NamespaceObjects } from '../pod/environment.ts';
import type { DownwardItem, KeyToPath, LocalPod, ProjectedSource, VolumeSpec } from '../pod/pod-spec.ts';
import { isVolumePath } from './atomic-directory.ts';
import type { VolumeFile } from './atomic-directory.ts';
import type { TokenSource } from './service-account-token.ts';

export interface PayloadContext {
  readonly pod: LocalPod;
  readonly addresses: PodAddresses;
  readonly objects: NamespaceObjects;
  readonly tokens: TokenSource;
}

/** True for volumes whose files follow API objects. */
export function hasPayload(volume: VolumeSpec): boolean {
  return (
    volume.configMap !== undefined ||
    volume.secret !== undefined ||
    volume.downwardAPI !== undefined ||
    volume.projected !== undefined
  );
}

const DEFAULT_MODE = 0o644;

/** The files of a volume; throws `MOUNT_FAILED` while an object that it needs is missing. */
export async function renderPayload(volume: VolumeSpec, context: PayloadContext): Promise<VolumeFile[]> {
  const mode = modeOf(volume);
  const files = await Promise.all(sourcesOf(volume).map((source) => renderSource(source, mode, context)));
  return files.flat();
}

function modeOf(volume: VolumeSpec): number {
  const { configMap, secret, downwardAPI, projected } = volume;
  return (configMap ?? secret ?? downwardAPI ?? projected)?.defaultMode ?? DEFAULT_MODE;
}

/** Every kind is a projection of itself. */
function sourcesOf({ configMap, secret, downwardAPI, projected }: VolumeSpec): readonly ProjectedSource[] {
  if (projected !== undefined) return projected.sources ?? [];
  const { secretName, ...keys } = secret ?? {};
  return [
    ...(configMap === undefined ? [] : [{ configMap }]),
    ...(secret === undefined ? [] : [{ secret: { ...keys, name: secretName ?? '' } }]),
    ...(downwardAPI === undefined ? [] : [{ downwardAPI }]),
  ];
}

async function renderSource(source: ProjectedSource, mode: number, context: PayloadContext): Promise<VolumeFile[]> {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap !== undefined) {
    const found = context.objects.configMap(configMap.name ?? '');
    const content = found && { ...encode(found.data), ...decode(found.binaryData) };
    return pickKeys({ ...configMap, kind: 'configmap', content, mode });
  }
  if (secret !== undefined) {
    const content = context.objects.secret(secret.name ?? '');
    return pickKeys({ ...secret, kind: 'secret', content: content && decode(content.data), mode });
  }
  if (downwardAPI !== undefined) return (downwardAPI.items ?? []).map((item) => renderItem(item, mode, context));
  if (serviceAccountToken === undefined) return [];
  const content = await context.tokens.token(context.pod, serviceAccountToken);
  return [{ path: requirePath(serviceAccountToken.path), content: Buffer.from(content.reveal()), mode }];
}

function encode(data: Readonly<Record<string, string>> | undefined): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'utf8')]));
}

function decode(data: Readonly<Record<string, string>> | undefined): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(data ?? {}).map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}

interface KeyChoice {
  readonly kind: 'configmap' | 'secret';
  readonly name?: string;
  readonly optional?: boolean;
  readonly items?: readonly KeyToPath[];
  readonly content: Readonly<Record<string, Buffer>> | undefined;
  readonly mode: number;
}

function pickKeys({ kind, name = '', optional, items, content, mode }: KeyChoice): VolumeFile[] {
  if (content === undefined) {
    if (optional === true) return [];
    throw new AppError('MOUNT_FAILED', `${kind} "${name}" not found`);
  }
  const wanted = items ?? Object.keys(content).map((key): KeyToPath => ({ key, path: key }));
  return wanted.flatMap((item) => {
    const value = Object.hasOwn(content, item.key) ? content[item.key] : undefined;
    if (value !== undefined) return [{ path: requirePath(item.path), content: value, mode: item.mode ?? mode }];
    if (optional === true) return [];
    throw new AppError('MOUNT_FAILED', `references non-existent ${kind} key: ${item.key}`);
  });
}

function renderItem(item: DownwardItem, mode: number, { pod, addresses }: PayloadContext): VolumeFile {
  const { fieldRef, resourceFieldRef } = item;
  const container = pod.spec.containers.find(({ name }) => name === resourceFieldRef?.containerName);
  const text =
    fieldRef !== undefined
      ? fieldValue(pod, fieldRef, addresses)
      : resourceFieldRef === undefined || container === undefined
        ? ''
        : resourceValue(container, resourceFieldRef);
  return { path: requirePath(item.path), content: Buffer.from(text), mode: item.mode ?? mode };
}

function requirePath(path: string): string {
  if (isVolumePath(path)) return path;
  throw new AppError('MOUNT_FAILED', `"${path.slice(0, 200)}" is not a path inside of a volume`);
}
