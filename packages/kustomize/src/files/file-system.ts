/** What a build needs of a file system. Synchronous: a build reads few files and waits for every one of them anyway. */

export interface FileSystem {
  /** Content, or undefined when there is no such file (also when it is a directory). */
  readFile(path: string): Uint8Array | undefined;
  /** Absolute path with symbolic links resolved, and what it is; undefined when nothing is there. */
  resolve(path: string): ResolvedPath | undefined;
  /** Name of the file system for messages, or "" for the machine's own. */
  readonly label?: string;
}

export interface ResolvedPath {
  readonly path: string;
  readonly kind: 'file' | 'directory';
  readonly size: number;
}
