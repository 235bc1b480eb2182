/** Owns the question where on the host a mount point of a container would lie, and which directories on the way exist. */
import { lstat, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';

export interface MountPoint {
  /** The target with all symlinks of the host resolved; missing parts are appended as they are. */
  readonly path: string;
  /** Existing real directories above it, outermost first, without `/`. */
  readonly ancestors: readonly string[];
}

/** Resolves an absolute path of a container against the host's directories. */
export async function resolveMountPoint(target: string): Promise<MountPoint> {
  const missing: string[] = [];
  let present = target;
  while (present !== '/' && !(await exists(present))) {
    missing.unshift(present.slice(present.lastIndexOf('/') + 1));
    present = dirname(present);
  }
  const real = await realpath(present);
  const path = join(real, ...missing);
  return { path, ancestors: ancestorsOf(missing.length === 0 ? dirname(real) : real) };
}

/** A link that leads nowhere (or into a directory that the container gets afresh) counts as missing. */
async function exists(path: string): Promise<boolean> {
  return realpath(path).then(
    () => true,
    () => false,
  );
}

function ancestorsOf(directory: string): string[] {
  const found: string[] = [];
  for (let path = directory; path !== '/'; path = dirname(path)) found.unshift(path);
  return found;
}

export async function isSymlink(path: string): Promise<boolean> {
  const stats = await lstat(path).catch(() => undefined);
  return stats?.isSymbolicLink() === true;
}
