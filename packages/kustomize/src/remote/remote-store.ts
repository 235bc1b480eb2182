/** Where a build finds remote resources. It never goes to the network itself. */

import { KustomizeError } from '../errors.ts';
import { decodeText, type LoaderOptions, Loader } from '../files/loader.ts';
import { createMemoryFileSystem } from '../files/memory-file-system.ts';
import type { Remote } from './parse-remote.ts';
import { readArchive } from './read-archive.ts';

export interface RemoteStore {
  /** Bytes of a remote file or archive; undefined when they are not at hand. */
  get(url: string): Uint8Array | undefined;
}

function requireBytes(store: RemoteStore | undefined, url: string): Uint8Array {
  const bytes = store?.get(url);
  if (bytes !== undefined) return bytes;
  throw new KustomizeError('REMOTE_NOT_ALLOWED', `the remote resource ${url} is not vendored`, {
    hint: 'fetch and pin it with: kfctl vendor, kustomize-js vendor or vendorRemotes()',
  });
}

export function readRemoteText(store: RemoteStore | undefined, remote: Remote): string {
  return decodeText({ bytes: requireBytes(store, remote.url), path: remote.url });
}

/** A loader for a directory of a remote archive; nothing outside the archive can be reached from it. */
export function openRemoteDirectory(
  store: RemoteStore | undefined,
  remote: Remote & { kind: 'archive' },
  options: LoaderOptions,
): Loader {
  const fileSystem = createMemoryFileSystem(readArchive(requireBytes(store, remote.url)));
  return Loader.open(`/${remote.directory}`, { ...options, fileSystem });
}
