/** Owns what every registry operation works with, and the words for what it works on. */
import type { AdmissionPlugin, AdmissionRequest } from '../admission/admission.ts';
import { servedApiVersion } from '../resources/definition.ts';
import type { ServedResource } from '../resources/definition.ts';
import type { JsonObject } from '../schema/json.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { parseStored } from '../store/stored-object.ts';
import type { StoredObject } from '../store/stored-object.ts';
import type { Definitions } from './definitions.ts';
import type { MetaSources } from './object-meta.ts';
import { notFound } from './status-error.ts';
import type { Subject } from './status-error.ts';

export interface RegistryDeps {
  readonly store: ObjectStore;
  readonly definitions: Definitions;
  readonly admission: readonly AdmissionPlugin[];
  readonly sources: MetaSources;
  /** Called after an object is stored or removed, in the same turn. */
  readonly onWrite?: (table: string, object: JsonObject, change: 'stored' | 'removed') => void;
}

export interface CollectionTarget {
  readonly served: ServedResource;
  /** Empty: cluster-scoped, or all namespaces. */
  readonly namespace: string;
}

export interface Target extends CollectionTarget {
  readonly name: string;
  /** Empty for the object itself. */
  readonly subresource: string;
}

export function subjectOf(target: CollectionTarget & { readonly name?: string }): Subject {
  const { group, plural, kind } = target.served.definition;
  return { group, plural, kind, ...(target.name === undefined ? {} : { name: target.name }) };
}

/** The stored object, or 404. */
export function requireStored(deps: RegistryDeps, target: Target): StoredObject {
  const stored = deps.store.get(target.served.definition.table, target.namespace, target.name);
  if (stored === undefined) throw notFound(subjectOf(target));
  return stored;
}

/** A stored object as the request's version shows it. */
export function readObject(stored: StoredObject, served: ServedResource): JsonObject {
  return fromStoredForm(parseStored(stored), served);
}

export function fromStoredForm(object: JsonObject, served: ServedResource): JsonObject {
  const converted = served.version.fromStored?.(object) ?? object;
  converted['apiVersion'] = servedApiVersion(served);
  served.version.custom?.applyDefaults(converted);
  return converted;
}

export function toStoredForm(object: JsonObject, served: ServedResource): JsonObject {
  const converted = served.version.toStored?.(object) ?? object;
  converted['apiVersion'] = served.definition.storedApiVersion;
  return converted;
}

/** The JSON text in the request's version; the stored text itself where nothing has to be converted. */
export function renderStored(stored: StoredObject, served: ServedResource): string {
  const { version, definition } = served;
  const asStored = version.fromStored === undefined && version.custom === undefined;
  if (asStored && definition.storedApiVersion === servedApiVersion(served)) return stored.json;
  return JSON.stringify(readObject(stored, served));
}

export function admit(deps: RegistryDeps, request: AdmissionRequest, phase: 'mutate' | 'validate'): void {
  for (const plugin of deps.admission) plugin[phase]?.(request);
}

export interface PatchOutcome {
  readonly object: JsonObject;
  readonly created: boolean;
}
