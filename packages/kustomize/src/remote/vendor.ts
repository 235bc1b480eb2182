/**
 * Remote resources without the network at build time: `vendorRemotes` fetches them once, pins them by SHA-256 in a lock file and keeps the
 * bytes beside it; `openVendorDirectory` gives them to a build and refuses bytes that are not the pinned ones.
 */

import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
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

/** node:crypto is loaded when it is used: most builds have no remotes, and it takes longer to load than they take. */
function digestOf(bytes: Uint8Array): string {
  return process.getBuiltinModule('node:crypto').createHash('sha256').update(bytes).digest('hex');
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

function readIfThere(path: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw new KustomizeError('REMOTE_INVALID', 'the file cannot be read', { file: path, cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Reads the lock of a vendor directory; empty when there is none. */
export function readLock(directory: string): Lock {
  const file = join(directory, lockFileName);
  const text = readIfThere(file)?.toString('utf8');
  if (text === undefined) return {};
  const parsed = parseJson(text);
  const remotes = typeof parsed === 'object' && parsed !== null && 'remotes' in parsed ? parsed.remotes : undefined;
  if (typeof remotes !== 'object' || remotes === null || !Object.values(remotes).every(isLockEntry)) {
    throw new KustomizeError('REMOTE_INVALID', 'the lock file is damaged', {
      file,
      hint: 'take it from version control again, or remove it to pin everything anew',
    });
  }
  return remotes as Lock;
}

function verify(url: string, bytes: Uint8Array, entry: LockEntry | undefined): Uint8Array {
  if (entry === undefined || digestOf(bytes) === entry.sha256) return bytes;
  throw new KustomizeError('REMOTE_DIGEST', `${url} is not what the lock file pins`, {
    hint: 'find out why it changed; remove its entry from the lock file to accept the new content',
  });
}

function entryOf(lock: Lock, url: string): LockEntry | undefined {
  return Object.hasOwn(lock, url) ? lock[url] : undefined;
}

/** The vendored remotes of a directory. What is pinned but not there counts as not vendored. */
export function openVendorDirectory(directory: string): RemoteStore {
  const lock = readLock(directory);
  return {
    get: (url) => {
      const entry = entryOf(lock, url);
      const bytes = entry === undefined ? undefined : readIfThere(join(directory, entry.sha256));
      return bytes === undefined ? undefined : verify(url, bytes, entry);
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

/**
 * Fetches every remote that the build needs and that is not at hand; returns the new lock. What the lock pins already must come with the
 * pinned content.
 */
export async function vendorRemotes(options: VendorOptions): Promise<Lock> {
  const { vendorDirectory, fetcher, maxRemoteBytes = defaultMaxBytes } = options;
  for (let count = 0; count <= maxRemotes; count += 1) {
    const missing = findMissing(options);
    const lock = readLock(vendorDirectory);
    if (missing === undefined) return lock;
    const bytes = verify(missing, await fetcher.fetch(missing, maxRemoteBytes), entryOf(lock, missing));
    keep(vendorDirectory, { ...lock, [missing]: { sha256: digestOf(bytes), bytes: bytes.byteLength } }, bytes);
  }
  throw new KustomizeError('REMOTE_INVALID', `the build needs more than ${maxRemotes} remotes`);
}

/** The content first, then the lock that names it. */
function keep(directory: string, lock: Lock, bytes: Uint8Array): void {
  const remotes = Object.entries(lock).sort(([left], [right]) => (left < right ? -1 : 1));
  const text = JSON.stringify({ version: 1, remotes: Object.fromEntries(remotes) }, undefined, 2);
  try {
    mkdirSync(directory, { recursive: true });
    writeWhole(join(directory, digestOf(bytes)), bytes);
    writeWhole(join(directory, lockFileName), `${text}\n`);
  } catch (cause) {
    throw new KustomizeError('REMOTE_FAILED', 'the vendor folder cannot be written', { file: directory, cause });
  }
}

function writeWhole(file: string, content: string | Uint8Array): void {
  writeFileSync(`${file}.${process.pid}`, content);
  renameSync(`${file}.${process.pid}`, file);
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
