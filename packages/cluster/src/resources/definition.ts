/** Owns the description of one served resource: names, versions, schema, behaviour. Built-in and custom kinds look the same here. */
import type { FieldError } from '../registry/status-error.ts';
import type { JsonObject } from '../schema/json.ts';
import type { StructSchema } from '../schema/schema.ts';

/** What a kind adds to the common life of objects; all of it optional, all of it synchronous. */
export interface Strategy {
  /** Rule for metadata.name; `subdomain` when absent. */
  readonly nameRule?: 'subdomain' | 'label' | 'dnsLabel1035' | 'path';
  /** Fills in what the user left out; runs on every write, before admission. */
  defaults?(object: JsonObject): void;
  prepareCreate?(object: JsonObject): void;
  prepareUpdate?(object: JsonObject, old: JsonObject): void;
  /** Rules that the schema cannot say; `old` is undefined on create. */
  validate?(object: JsonObject, old: JsonObject | undefined): readonly FieldError[];
  /** A PUT without metadata.resourceVersion is refused (custom resources, and a few built-in kinds). */
  readonly requiresResourceVersion?: boolean;
  /** PUT of an absent object creates it. */
  readonly createsOnUpdate?: boolean;
  /** metadata.generation counts changes of the desired state. */
  readonly countsGeneration?: boolean;
}

export interface ScalePaths {
  readonly specReplicas: readonly string[];
  readonly statusReplicas: readonly string[];
  readonly selector?: readonly string[];
}

export interface TableColumn {
  readonly name: string;
  readonly type: string;
  readonly format?: string;
  readonly description?: string;
  /** 0 is always shown, 1 with `-o wide`. */
  readonly priority?: number;
}

export type TableCell = string | number | boolean | null;

/** Server-side printing of one kind. */
export interface Printer {
  readonly columns: readonly TableColumn[];
  cells(object: JsonObject, nowMs: number): readonly TableCell[];
}

/** Work that a custom resource's schema does; built-in kinds use their types instead. */
export interface CustomSchema {
  prune(object: JsonObject): readonly string[];
  applyDefaults(object: JsonObject): void;
  validate(object: JsonObject): readonly FieldError[];
  /** The OpenAPI v3 schema as the user wrote it. */
  readonly openApi: JsonObject | undefined;
}

export interface ServedVersion {
  readonly version: string;
  readonly schema: StructSchema;
  readonly subresources: ReadonlySet<string>;
  readonly printer: Printer;
  readonly scale?: ScalePaths;
  readonly custom?: CustomSchema;
  /** Sent as a Warning header with every answer. */
  readonly deprecationWarning?: string;
  /** Between this version and the stored one; identity when absent. */
  toStored?(object: JsonObject): JsonObject;
  fromStored?(object: JsonObject): JsonObject;
}

export interface ResourceDefinition {
  readonly group: string;
  readonly plural: string;
  readonly singular: string;
  readonly kind: string;
  readonly listKind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  /** Preferred first. */
  readonly versions: readonly ServedVersion[];
  /** apiVersion of the stored form. */
  readonly storedApiVersion: string;
  /** Table of the object store. */
  readonly table: string;
  readonly strategy: Strategy;
  /** Stores nothing; answered by a handler (reviews). */
  readonly virtual: boolean;
  /** Comes from a CustomResourceDefinition. */
  readonly customResource: boolean;
}

/** A resource in one of its versions: what a request addresses. */
export interface ServedResource {
  readonly definition: ResourceDefinition;
  readonly version: ServedVersion;
}

export function apiVersionOf(group: string, version: string): string {
  return group === '' ? version : `${group}/${version}`;
}

export function servedApiVersion(served: ServedResource): string {
  return apiVersionOf(served.definition.group, served.version.version);
}
