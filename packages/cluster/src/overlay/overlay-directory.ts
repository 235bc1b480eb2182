/** Owns the directory of the overlay's sockets: where it lies, who may enter it, and that nothing of an earlier run is in it. */
import { createHash } from 'node:crypto';
import { lstat, mkdir, readdir, realpath, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { AppError } from '@kfctl/core';
import { MAX_SOCKET_NAME, MAX_SOCKET_PATH } from './overlay.ts';
import type { Overlay } from './overlay.ts';

/** Makes the directory: in the data directory, or where that has too long a name, in the machine's for temporary files. */
export async function openOverlayDirectory(dataDirectory: string, temporary: string = tmpdir()): Promise<string> {
  const data = await realpath(dataDirectory);
  const own = createHash('sha256').update(data).digest('hex').slice(0, 8);
  const places = [join(data, 'net'), join(await realpath(temporary), `kfctl-${own}`), `/tmp/kfctl-${own}`];
  const directory = places.find((place) => Buffer.byteLength(place) + 1 + MAX_SOCKET_NAME <= MAX_SOCKET_PATH) ?? '';
  await mkdir(directory, { mode: 0o700 }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  await requireOwn(directory);
  await Promise.all((await readdir(directory)).map((name) => rm(join(directory, name), { force: true })));
  return directory;
}

/** Whoever may write there could take the place of a pod: others may have made it, where everybody can. */
async function requireOwn(directory: string): Promise<void> {
  const stats = await lstat(directory);
  const isOwn = stats.isDirectory() && stats.uid === userInfo().uid && (stats.mode & 0o077) === 0;
  if (isOwn) return;
  throw new AppError('OVERLAY_DIRECTORY', `${directory} is not a directory of this user alone`, {
    hint: 'Remove it, or choose a data directory with a shorter name.',
  });
}

/** Removes what is left of the sockets of one address. */
export async function removeSockets({ directory, prefix }: Overlay, host: string): Promise<void> {
  const start = `${host.slice(prefix.length)}.`;
  const names = await readdir(directory).catch(() => []);
  const own = names.filter((name) => name.startsWith(start));
  await Promise.all(own.map((name) => rm(join(directory, name), { force: true })));
}
