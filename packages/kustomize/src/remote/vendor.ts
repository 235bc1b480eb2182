/**
 * Remote resources without the network at build time: `vendorRemotes` fetches them once, pins them by SHA-256 in a lock file and keeps the
 * bytes beside it; `openVendorDirectory` gives them to a build and refuses bytes that are not the pinned ones.
 */

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type BuildOptions, build } from '../build/build.ts';
import { KustomizeError } from '../errors.ts';
import type { RemoteStore } from './remote-store.ts';

export const lockFileName = 'kustomize.lock.json';

export interface LockEntry {
  readonly sha256: string;
  readonly bytes: number;
}

export type Lock = Readonly<Record<string, LockEntry>>;

export interface Fetcher {
  /** The bytes at an https URL; throws when there are more than `maxBytes`. */
  fetch(url: string, maxBytes: number): Promise<Uint8Array>;
}

function digestOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function isLockEntry(value: unknown): value is LockEntry {
  return (
    typeof value === 'object' &&
    value !== null &&
    'sha256' in value &&
    /^[0-9a-f]{64}$/u.test(String(value.sha256)) &&
    'bytes' in value
  );
}

/** Reads the lock of a vendor directory; empty when there is none. */
export function readLock(directory: string): Lock {
  let text: string;
  try {
    text = readFileSync(join(directory, lockFileName), 'utf8');
  } catch {
    return {};
  }
  const parsed: unknown = JSON.parse(text);
  const remotes = typeof parsed === 'object' && parsed !== null && 'remotes' in parsed ? parsed.remotes : undefined;
  if (typeof remotes !== 'object' || remotes === null || !Object.values(remotes).every(isLockEntry)) {
    throw new KustomizeError('REMOTE_INVALID', 'the lock file is damaged', { file: join(directory, lockFileName) });
  }
  return remotes as Lock;
}

function verify(url: string, bytes: Uint8Array, entry: LockEntry): Uint8Array {
  if (digestOf(bytes) === entry.sha256) return bytes;
  throw new KustomizeError('REMOTE_DIGEST', `${url} is not what the lock file pins`, {
    hint: 'find out why it changed; remove its entry from the lock file to accept the new content',
  });
}

/** The vendored remotes of a directory. */
export function openVendorDirectory(directory: string): RemoteStore {
  const lock = readLock(directory);
  return {
    get: (url) => {
      const entry = Object.hasOwn(lock, url) ? lock[url] : undefined;
      if (entry === undefined) return undefined;
      return verify(url, readFileSync(join(directory, entry.sha256)), entry);
    },
  };
}

export interface VendorOptions extends Omit<BuildOptions, 'remotes'> {
  readonly vendorDirectory: string;
  readonly fetcher: Fetcher;
  readonly maxRemoteBytes?: number;
}

const maxRemotes = 200;
const defaultMaxBytes = 64 * 1024 * 1024;

/** Fetches every remote that the build needs and is not pinned yet; returns the new lock. */
export async function vendorRemotes(options: VendorOptions): Promise<Lock> {
  const { vendorDirectory, fetcher, maxRemoteBytes = defaultMaxBytes } = options;
  mkdirSync(vendorDirectory, { recursive: true });
  for (let count = 0; count <= maxRemotes; count += 1) {
    const missing = findMissing(options);
    if (missing === undefined) return readLock(vendorDirectory);
    const bytes = await fetcher.fetch(missing, maxRemoteBytes);
    const entry = { sha256: digestOf(bytes), bytes: bytes.byteLength };
    writeFileSync(join(vendorDirectory, entry.sha256), bytes);
    const remotes = Object.entries({ ...readLock(vendorDirectory), [missing]: entry }).sort(([left], [right]) =>
      left < right ? -1 : 1,
    );
    writeFileSync(
      join(vendorDirectory, lockFileName),
      `${JSON.stringify({ version: 1, remotes: Object.fromEntries(remotes) }, undefined, 2)}\n`,
    );
  }
  throw new KustomizeError('REMOTE_INVALID', `the build needs more than ${maxRemotes} remotes`);
}

/** The first remote that a build asks for in vain; other mistakes of the build are thrown. */
function findMissing(options: VendorOptions): string | undefined {
  const store = openVendorDirectory(options.vendorDirectory);
  let missing: string | undefined;
  const remotes: RemoteStore = {
    get: (url) => {
      const bytes = store.get(url);
      if (bytes === undefined) missing = url;
      return bytes;
    },
  };
  try {
    build({ ...options, remotes });
  } catch (error) {
    if (missing === undefined) throw error;
  }
  return missing;
}
