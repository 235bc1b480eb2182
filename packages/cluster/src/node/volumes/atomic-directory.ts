/**
 * Owns directories whose files change all at once: `..data` is a link to a directory of one generation, every visible name is a link
 * through `..data`. A reader sees the old files or the new ones, never a mixture (as the kubelet's configMap volumes).
 */
import { lstat, mkdir, mkdtemp, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';

export interface VolumeFile {
  /** Relative, never leaving the volume. */
  readonly path: string;
  readonly content: Buffer;
  readonly mode: number;
}

/** Makes the directory hold exactly these files. Nothing is written when they are the present ones; true when something changed. */
export async function writeAtomically(
  directory: string,
  files: readonly VolumeFile[],
  stamp: string,
): Promise<boolean> {
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const stampFile = join(directory, '..data', '..stamp');
  const present = await readlink(stampFile).catch(() => undefined);
  if (present === stamp) return false;
  const generation = await mkdtemp(join(directory, '..generation-'));
  for (const file of files) await writeOne(generation, file);
  await symlink(stamp, join(generation, '..stamp'));
  const previous = await readlink(join(directory, '..data')).catch(() => undefined);
  await symlink(generation.slice(directory.length + 1), join(directory, '..data_tmp')).catch(() => undefined);
  await rename(join(directory, '..data_tmp'), join(directory, '..data'));
  await linkNames(directory, files);
  if (previous !== undefined) await rm(join(directory, previous), { recursive: true, force: true });
  return true;
}

/** True for a relative path that stays inside and does not touch the names that this module uses. */
export function isVolumePath(path: string): boolean {
  if (path === '' || path.startsWith('/') || path.includes('\0') || path.length > 4096) return false;
  const normal = normalize(path);
  return !normal.split('/').some((part) => part === '..') && !normal.startsWith('..') && normal !== '.';
}

async function writeOne(generation: string, { path, content, mode }: VolumeFile): Promise<void> {
  const target = join(generation, path);
  await mkdir(dirname(target), { recursive: true, mode: 0o755 });
  await writeFile(target, content, { mode });
}

async function linkNames(directory: string, files: readonly VolumeFile[]): Promise<void> {
  const wanted = new Set(files.map(({ path }) => normalize(path).split('/')[0] ?? ''));
  for (const name of await readdir(directory)) {
    if (!name.startsWith('..') && !wanted.has(name)) await rm(join(directory, name), { recursive: true, force: true });
  }
  for (const name of wanted) {
    const stats = await lstat(join(directory, name)).catch(() => undefined);
    if (stats === undefined) await symlink(join('..data', name), join(directory, name));
  }
}
