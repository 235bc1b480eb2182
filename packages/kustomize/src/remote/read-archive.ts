/** A .tar.gz in memory -> files. Only regular files count; links, devices and paths that lead out are left out or refused. */

import { KustomizeError } from '../errors.ts';

export interface ArchiveLimits {
  readonly maxBytes: number;
  readonly maxFiles: number;
}

const defaultLimits: ArchiveLimits = { maxBytes: 256 * 1024 * 1024, maxFiles: 50_000 };
const blockSize = 512;

function text(block: Uint8Array, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return Buffer.from(end < 0 ? field : field.subarray(0, end)).toString('utf8');
}

function refuse(reason: string, cause?: unknown): KustomizeError {
  return new KustomizeError('REMOTE_INVALID', `the archive ${reason}`, { cause });
}

function unzip(bytes: Uint8Array, { maxBytes }: ArchiveLimits): Uint8Array {
  try {
    return process.getBuiltinModule('node:zlib').gunzipSync(bytes, { maxOutputLength: maxBytes });
  } catch (cause) {
    throw refuse('cannot be unpacked, or is too large', cause);
  }
}

function sizeOf(header: Uint8Array): number {
  const digits = text(header, 124, 12).trim();
  const size = /^[0-7]+$/u.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
  if (!Number.isSafeInteger(size)) throw refuse('has a broken header');
  return size;
}

/** Path of an extended (pax) header record. */
function paxPath(content: Uint8Array): string | undefined {
  return /^\d+ path=(.*)$/mu.exec(Buffer.from(content).toString('utf8'))?.[1];
}

/** The path without the archive's top directory; undefined for what is no usable path. */
function innerPath(path: string): string | undefined {
  const parts = path.split('/').filter((part) => part !== '' && part !== '.');
  if (path.startsWith('/') || parts.includes('..')) throw refuse(`holds the path '${path}'`);
  return parts.length < 2 ? undefined : `/${parts.slice(1).join('/')}`;
}

/** Regular files by absolute path, the archive's top directory removed. */
export function readArchive(bytes: Uint8Array, limits: ArchiveLimits = defaultLimits): Record<string, Uint8Array> {
  const tar = unzip(bytes, limits);
  const files: Record<string, Uint8Array> = Object.create(null) as Record<string, Uint8Array>;
  let count = 0;
  let longPath: string | undefined;
  for (let at = 0; at + blockSize <= tar.length;) {
    const header = tar.subarray(at, at + blockSize);
    if (header.every((byte) => byte === 0)) break;
    const size = sizeOf(header);
    const content = tar.subarray(at + blockSize, at + blockSize + size);
    if (content.length !== size) throw refuse('ends too early');
    at += blockSize + Math.ceil(size / blockSize) * blockSize;
    const type = text(header, 156, 1);
    if (type === 'x') longPath = paxPath(content);
    else if (type === 'L') longPath = text(content, 0, size);
    if (type === 'x' || type === 'L' || type === 'g') continue;
    const prefix = text(header, 345, 155);
    const path = longPath ?? (prefix === '' ? '' : `${prefix}/`) + text(header, 0, 100);
    longPath = undefined;
    const inner = type === '0' || type === '' ? innerPath(path) : undefined;
    if (inner === undefined) continue;
    count += 1;
    if (count > limits.maxFiles) throw refuse('holds too many files');
    files[inner] = content;
  }
  return files;
}
