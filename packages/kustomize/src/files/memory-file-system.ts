/** Files in memory, for tests, for generated directories and for unpacked archives. */

import { posix } from 'node:path';
import type { FileSystem, ResolvedPath } from './file-system.ts';

/** Paths (absolute, `/`-separated) to contents. */
export function createMemoryFileSystem(files: Readonly<Record<string, string | Uint8Array>>): FileSystem {
  const contents = new Map<string, Uint8Array>();
  const directories = new Set<string>(['/']);
  for (const [path, content] of Object.entries(files)) {
    const normal = posix.resolve('/', path);
    contents.set(normal, typeof content === 'string' ? Buffer.from(content) : content);
    for (let parent = posix.dirname(normal); !directories.has(parent); parent = posix.dirname(parent))
      directories.add(parent);
  }
  return {
    label: 'memory',
    readFile: (path) => contents.get(posix.resolve('/', path)),
    resolve: (path): ResolvedPath | undefined => {
      const normal = posix.resolve('/', path);
      const content = contents.get(normal);
      if (content !== undefined) return { path: normal, kind: 'file', size: content.byteLength };
      return directories.has(normal) ? { path: normal, kind: 'directory', size: 0 } : undefined;
    },
  };
}
