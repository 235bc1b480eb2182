/** Kustomize in TypeScript: a kustomization directory to objects to YAML. Pure: no process is started, no cluster is touched. */

export { KustomizeError, type KustomizeErrorCode } from './errors.ts';
export { build, type BuildOptions, type BuildResult } from './build/build.ts';
export { buildToYaml, renderYaml, toObjects } from './render.ts';
export type { FileSystem, ResolvedPath } from './files/file-system.ts';
export type { LoadRestrictor } from './files/loader.ts';
export { createDiskFileSystem } from './files/disk-file-system.ts';
export { createHttpsFetcher } from './remote/https-fetcher.ts';
export type { RemoteStore } from './remote/remote-store.ts';
export {
  type Fetcher,
  type Lock,
  type LockEntry,
  type VendorOptions,
  lockFileName,
  openVendorDirectory,
  readLock,
  vendorRemotes,
} from './remote/vendor.ts';
export { type RunOptions, runKustomize } from './cli/run-kustomize.ts';
export { createMemoryFileSystem } from './files/memory-file-system.ts';
