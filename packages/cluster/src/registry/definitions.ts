/** Owns the set of resources that are served at this moment; CustomResourceDefinitions add and remove some. */
import type { ResourceDefinition, ServedResource } from '../resources/definition.ts';

export interface Definitions {
  find(group: string, version: string, plural: string): ServedResource | undefined;
  /** Any served version of a kind; the preferred one when `version` is absent. */
  findKind(group: string, kind: string, version?: string): ServedResource | undefined;
  all(): readonly ResourceDefinition[];
  set(definition: ResourceDefinition): void;
  remove(group: string, plural: string): void;
  /** Grows with every change: the key of cached discovery documents. */
  readonly generation: number;
}

export function createDefinitions(initial: readonly ResourceDefinition[]): Definitions {
  const byResource = new Map<string, ResourceDefinition>();
  let generation = 0;
  const keyOf = (group: string, plural: string): string => `${group}/${plural}`;
  const pick = (definition: ResourceDefinition | undefined, version?: string): ServedResource | undefined => {
    const served = definition?.versions.find((candidate) => version === undefined || candidate.version === version);
    return definition === undefined || served === undefined ? undefined : { definition, version: served };
  };
  const definitions: Definitions = {
    find: (group, version, plural) => pick(byResource.get(keyOf(group, plural)), version),
    findKind(group, kind, version) {
      for (const definition of byResource.values()) {
        if (definition.group === group && definition.kind === kind) return pick(definition, version);
      }
      return undefined;
    },
    all: () => [...byResource.values()],
    set(definition) {
      byResource.set(keyOf(definition.group, definition.plural), definition);
      generation += 1;
    },
    remove(group, plural) {
      byResource.delete(keyOf(group, plural));
      generation += 1;
    },
    get generation() {
      return generation;
    },
  };
  for (const definition of initial) definitions.set(definition);
  return definitions;
}
