/** The machine's own files. */

import { readFileSync, realpathSync, statSync } from 'node:fs';
import type { FileSystem, ResolvedPath } from './file-system.ts';

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return (
    code === 'ENOENT' ||
    code === 'ENOTDIR' ||
    code === 'ELOOP' ||
    code === 'ENAMETOOLONG' ||
    code === 'EISDIR' ||
    code === 'ERR_INVALID_ARG_VALUE'
  );
}

function orUndefined<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** A file system on the disk; only regular files and directories count. */
export function createDiskFileSystem(): FileSystem {
  return {
    readFile: (path) => orUndefined(() => readFileSync(path)),
    resolve: (path) =>
      orUndefined((): ResolvedPath | undefined => {
        const real = realpathSync(path);
        const stats = statSync(real);
        if (stats.isDirectory()) return { path: real, kind: 'directory', size: 0 };
        return stats.isFile() ? { path: real, kind: 'file', size: stats.size } : undefined;
      }),
  };
}
