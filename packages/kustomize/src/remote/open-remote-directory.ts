/** A directory of a remote repository, as a loader of its archive. */

import { Loader, type LoaderOptions } from '../files/loader.ts';
import { createMemoryFileSystem } from '../files/memory-file-system.ts';
import type { Remote } from './parse-remote.ts';
import { readArchive } from './read-archive.ts';
import { readRemote } from './remote-store.ts';

/** Nothing outside the archive can be reached from it, but other remotes can. */
export function openRemoteDirectory(remote: Remote & { kind: 'archive' }, options: LoaderOptions): Loader {
  const fileSystem = createMemoryFileSystem(readArchive(readRemote(options.remotes, remote)));
  return Loader.open(`/${remote.directory}`, { ...options, fileSystem });
}
