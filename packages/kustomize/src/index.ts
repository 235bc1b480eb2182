/** Kustomize in TypeScript: a kustomization directory to objects to YAML. Pure: no process is started, no cluster is touched. */

export { KustomizeError, type KustomizeErrorCode } from './errors.ts';
export { build, type BuildOptions, type BuildResult } from './build/build.ts';
export { renderYaml, toObjects } from './render.ts';
export type { FileSystem, ResolvedPath } from './files/file-system.ts';
export type { LoadRestrictor } from './files/loader.ts';
export { createDiskFileSystem } from './files/disk-file-system.ts';
export { createMemoryFileSystem } from './files/memory-file-system.ts';
