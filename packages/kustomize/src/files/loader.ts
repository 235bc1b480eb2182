/**
 * Reads the files of one kustomization directory. Files must lie in or below the directory (symbolic links resolved) unless the
 * restriction is lifted; other kustomization directories may lie anywhere, but never around one that is being built.
 */

import { dirname, isAbsolute, join, sep } from 'node:path';
import { KustomizeError } from '../errors.ts';
import { parseRemoteFile } from '../remote/parse-remote.ts';
import { type RemoteStore, readRemote } from '../remote/remote-store.ts';
import type { FileSystem } from './file-system.ts';

export type LoadRestrictor = 'rootOnly' | 'none';

export interface LoaderOptions {
  readonly fileSystem: FileSystem;
  readonly restrictor: LoadRestrictor;
  readonly maxFileBytes: number;
  readonly remotes: RemoteStore | undefined;
}

export interface LoadedFile {
  readonly bytes: Uint8Array;
  /** Absolute path or URL, for messages. */
  readonly path: string;
}

/** Where a directory is: on the machine ('') or in a remote archive, by its URL. */
type Source = string;

/** So many kustomizations may lie inside each other: each takes a part of the stack. */
const maxDepth = 200;

interface Position {
  readonly source: Source;
  readonly parent: Loader | undefined;
}

export class Loader {
  readonly root: string;
  readonly options: LoaderOptions;
  private readonly position: Position;
  private readonly depth: number;

  private constructor(root: string, options: LoaderOptions, position: Position) {
    this.root = root;
    this.options = options;
    this.position = position;
    this.depth = (position.parent?.depth ?? 0) + 1;
    if (this.depth > maxDepth) {
      throw new KustomizeError('BASE_CYCLE', `more than ${maxDepth} kustomizations lie inside each other`, {
        hint: 'list the innermost ones directly',
      });
    }
  }

  /** A loader for the directory that a build starts in. */
  static open(directory: string, options: LoaderOptions): Loader {
    return new Loader(requireDirectory(directory, options.fileSystem), options, { source: '', parent: undefined });
  }

  /** A loader for a base or component; its path is relative to this directory. */
  enter(path: string): Loader {
    const { fileSystem } = this.options;
    const directory = requireDirectory(isAbsolute(path) ? path : join(this.root, path), fileSystem);
    const { source } = this.position;
    this.refuseCycle(source, directory);
    return new Loader(directory, this.options, { source, parent: this });
  }

  /** A loader for a directory of a remote archive; nothing outside the archive can be reached from it, but other remotes can. */
  enterArchive(source: Source, fileSystem: FileSystem, path: string): Loader {
    const directory = requireDirectory(`/${path}`, fileSystem);
    this.refuseCycle(source, directory);
    return new Loader(directory, { ...this.options, fileSystem }, { source, parent: this });
  }

  private refuseCycle(source: Source, directory: string): void {
    if (source === this.position.source && contains(directory, this.root)) {
      throw new KustomizeError(
        'BASE_CYCLE',
        `cycle detected: candidate root '${directory}' contains visited root '${this.root}'`,
        {
          hint: 'a base may not be, or lie around, a directory that uses it',
        },
      );
    }
    this.position.parent?.refuseCycle(source, directory);
  }

  /** True when the path names something that is there, wherever it is. */
  kindOf(path: string): 'file' | 'directory' | undefined {
    return this.options.fileSystem.resolve(this.absolute(path))?.kind;
  }

  /** Content of a file; a URL is one everywhere, as in the reference. */
  read(path: string): LoadedFile {
    const remote = parseRemoteFile(path);
    if (remote === undefined) return this.readLocal(path);
    const bytes = readRemote(this.options.remotes, remote);
    this.requireSmall(bytes.byteLength, remote.url);
    return { bytes, path: remote.url };
  }

  private readLocal(path: string): LoadedFile {
    const { fileSystem, restrictor } = this.options;
    const found = fileSystem.resolve(this.absolute(path));
    if (found === undefined)
      throw new KustomizeError('FILE_NOT_FOUND', `no such file '${path}'`, { file: join(this.root, path) });
    if (found.kind === 'directory')
      throw new KustomizeError('FILE_NOT_FOUND', `'${path}' must resolve to a file`, { file: found.path });
    if (restrictor === 'rootOnly' && !contains(this.root, dirname(found.path))) {
      throw new KustomizeError('FILE_OUTSIDE_ROOT', `file '${found.path}' is not in or below '${this.root}'`, {
        hint: 'move it below the kustomization, use it as a base, or build with --load-restrictor=LoadRestrictionsNone',
      });
    }
    this.requireSmall(found.size, found.path);
    const bytes = fileSystem.readFile(found.path);
    if (bytes === undefined) throw new KustomizeError('FILE_NOT_FOUND', `cannot read '${path}'`, { file: found.path });
    return { bytes, path: found.path };
  }

  private requireSmall(size: number, file: string): void {
    const { maxFileBytes } = this.options;
    if (size <= maxFileBytes) return;
    throw new KustomizeError('FILE_TOO_LARGE', `the file has ${size} bytes, more than the ${maxFileBytes} allowed`, {
      file,
    });
  }

  /** Content of a UTF-8 text file. */
  readText(path: string): { text: string; path: string } {
    const file = this.read(path);
    return { text: decodeText(file), path: file.path };
  }

  private absolute(path: string): string {
    return isAbsolute(path) ? path : join(this.root, path);
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function decodeText(file: LoadedFile): string {
  try {
    return decoder.decode(file.bytes);
  } catch (cause) {
    throw new KustomizeError('NOT_UTF8', 'the file is not UTF-8 text', { file: file.path, cause });
  }
}

function requireDirectory(path: string, fileSystem: FileSystem): string {
  const found = fileSystem.resolve(path);
  if (found?.kind === 'directory') return found.path;
  throw new KustomizeError(
    'FILE_NOT_FOUND',
    found === undefined ? `no such directory '${path}'` : `'${path}' is not a directory`,
  );
}

/** True when `inner` is `outer` or lies below it. */
function contains(outer: string, inner: string): boolean {
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : outer + sep);
}
