/** A kustomization directory -> finished objects, in the order and with the bytes of `kubectl kustomize`. */

import { resolve } from 'node:path';
import { createDiskFileSystem } from '../files/disk-file-system.ts';
import type { FileSystem } from '../files/file-system.ts';
import { type LoadRestrictor, Loader } from '../files/loader.ts';
import type { RemoteStore } from '../remote/remote-store.ts';
import { contentHash } from '../generate/content-hash.ts';
import type { Resource } from '../resource/resource.ts';
import { SchemaSet } from '../schema/schema-set.ts';
import { metadataLabels } from '../field/default-fields.ts';
import { setEntries } from '../transform/labels.ts';
import { fixReferences } from '../transform/fix-references.ts';
import { legacyOrder, sortResources } from '../transform/sort-resources.ts';
import { resolveVars } from '../transform/vars.ts';
import type { MapNode } from '../yaml/node.ts';
import { writeOrigins } from './origins.ts';
import { inKustomization } from './in-kustomization.ts';
import { Accumulator, type BuildContext, accumulate, openKustomization } from './accumulate.ts';

export interface BuildOptions {
  readonly directory: string;
  /** The machine's files when it is not given. */
  readonly fileSystem?: FileSystem;
  /** Whether files outside their kustomization's directory may be read. */
  readonly loadRestrictor?: LoadRestrictor;
  /** Files larger than this are refused. */
  readonly maxFileBytes?: number;
  /** Where remote files and repositories are found; without it they are refused. */
  readonly remotes?: RemoteStore;
  /** Hears about deprecated fields and unused vars. */
  readonly warn?: (message: string) => void;
}

export interface BuildResult {
  /** One node per object; `renderYaml` makes text of them, `toObjects` plain values. */
  readonly nodes: readonly MapNode[];
}

const managedBy: ReadonlyMap<string, string> = new Map([['app.kubernetes.io/managed-by', 'kustomize-(devel)']]);

const defaultMaxFileBytes = 64 * 1024 * 1024;

/** Builds a directory. Throws KustomizeError. */
export function build(options: BuildOptions): BuildResult {
  const loader = Loader.open(resolve(options.directory), {
    fileSystem: options.fileSystem ?? createDiskFileSystem(),
    restrictor: options.loadRestrictor ?? 'rootOnly',
    maxFileBytes: options.maxFileBytes ?? defaultMaxFileBytes,
    remotes: options.remotes,
  });
  const warn = options.warn ?? ((): void => undefined);
  const kustomization = openKustomization(loader, { warn });
  const tracksOrigins = kustomization.buildMetadata.length > 0;
  const context: BuildContext = { schemas: new SchemaSet(), warn, tracksOrigins };
  const all = new Accumulator();
  accumulate({ loader, kustomization, context, origin: '' }, all);
  const { resources } = all.map;
  inKustomization({ loader, kustomization }, undefined, () => settle(all, context));
  const kept = resources.filter((resource) => !isLocal(resource));
  const sorted = inKustomization({ loader, kustomization }, 'sortOptions', () =>
    sortResources(kept, kustomization.sortOptions ?? legacyOrder),
  );
  if (kustomization.buildMetadata.includes('managedByLabel')) setEntries(sorted, managedBy, [metadataLabels]);
  writeOrigins(sorted, kustomization.buildMetadata);
  for (const resource of sorted) resource.setAnnotations(sortedEntries(resource.annotations()));
  return { nodes: sorted.map((resource) => resource.node) };
}

/** What only the outermost kustomization does: names with hashes, references to them, vars. */
function settle({ map, config, vars }: Accumulator, { warn }: BuildContext): void {
  addHashes(map.resources);
  fixReferences(map.resources, config.nameReference);
  for (const name of resolveVars(map.resources, vars, config.varReference))
    warn(`well-defined var that was never replaced: ${name}`);
  map.requireValid();
}

function sortedEntries(entries: ReadonlyMap<string, string>): Map<string, string> {
  return new Map([...entries].sort(([left], [right]) => (left < right ? -1 : 1)));
}

function addHashes(resources: readonly Resource[]): void {
  for (const resource of resources) {
    if (!resource.needsHash) continue;
    const hash = contentHash(resource);
    resource.rememberId();
    resource.name = `${resource.name}-${hash}`;
  }
}

/** Objects that are only configuration of the build are not part of the result. */
function isLocal(resource: Resource): boolean {
  const value = resource.annotations().get('config.kubernetes.io/local-config');
  return value !== undefined && value !== 'false';
}
