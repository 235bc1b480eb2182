/** Where a build finds remote files and archives. It never goes to the network itself. */

import { KustomizeError } from '../errors.ts';
import type { Remote } from './parse-remote.ts';

export interface RemoteStore {
  /** Bytes of a remote file or archive; undefined when they are not at hand. */
  get(url: string): Uint8Array | undefined;
}

export function readRemote(store: RemoteStore | undefined, { url }: Remote): Uint8Array {
  const bytes = store?.get(url);
  if (bytes !== undefined) return bytes;
  throw new KustomizeError('REMOTE_NOT_ALLOWED', `the remote resource ${url} is not vendored`, {
    hint: 'fetch and pin it with: kfctl vendor, kustomize-js vendor or vendorRemotes()',
  });
}
