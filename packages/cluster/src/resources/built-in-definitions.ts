/** Owns the definitions of the built-in kinds: the table of names joined with types, behaviour and printing. */
import { builtInType } from '../schema/built-in-types.ts';
import { builtInKinds } from './built-in-kinds.ts';
import type { BuiltInKind } from './built-in-kinds.ts';
import { apiVersionOf } from './definition.ts';
import type { ResourceDefinition, ServedVersion } from './definition.ts';
import { eventFromStored, eventToStored } from './event-conversion.ts';
import { printerOf } from './printers.ts';
import { createStrategies } from './strategies.ts';
import type { StrategyDeps } from './strategies.ts';
import type { Strategy } from './definition.ts';

const ALL_VERBS = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];
const NO_COLLECTION_DELETE = new Set(['namespaces', 'services']);

export function createBuiltInDefinitions(deps: StrategyDeps): ResourceDefinition[] {
  const strategies = createStrategies(deps);
  return builtInKinds.map((kind) => defineBuiltIn(kind, strategies[`${kind.group}/${kind.plural}`] ?? {}));
}

function defineBuiltIn(kind: BuiltInKind, strategy: Strategy): ResourceDefinition {
  const verbs =
    kind.virtual === true
      ? ['create']
      : ALL_VERBS.filter((verb) => verb !== 'deletecollection' || !NO_COLLECTION_DELETE.has(kind.plural));
  return {
    group: kind.group,
    plural: kind.plural,
    singular: kind.kind.toLowerCase(),
    kind: kind.kind,
    listKind: `${kind.kind}List`,
    namespaced: kind.namespaced,
    shortNames: kind.shortNames ?? [],
    categories: kind.categories ?? [],
    verbs,
    versions: [versionOf(kind)],
    storedApiVersion: kind.storedAs ?? apiVersionOf(kind.group, kind.version),
    table: kind.storedAs === undefined ? `${kind.group}/${kind.plural}` : `/${kind.plural}`,
    strategy,
    virtual: kind.virtual === true,
    customResource: false,
  };
}

function versionOf(kind: BuiltInKind): ServedVersion {
  return {
    version: kind.version,
    get schema() {
      return builtInType(kind.model);
    },
    subresources: new Set(kind.subresources),
    printer: printerOf(kind.group, kind.plural),
    ...(kind.group === 'events.k8s.io' ? { fromStored: eventFromStored, toStored: eventToStored } : {}),
  };
}
