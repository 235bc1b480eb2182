/** Owns the one description of a field's type that defaulting, patching, apply and discovery share, for built-in and custom kinds. */

export type ScalarType =
  | 'string'
  | 'int32'
  | 'int64'
  | 'double'
  | 'boolean'
  | 'date-time'
  | 'int-or-string'
  | 'quantity'
  | 'byte';

export type ListType =
  | { readonly kind: 'atomic' }
  | { readonly kind: 'set' }
  /** Items are told apart by these fields; `defaults` fills in a missing one. */
  | { readonly kind: 'map'; readonly keys: readonly string[]; readonly defaults: Readonly<Record<string, unknown>> };

export type Schema =
  | { readonly kind: 'scalar'; readonly type: ScalarType }
  | { readonly kind: 'any' }
  | {
      readonly kind: 'list';
      readonly element: Schema;
      readonly list: ListType;
      readonly mergeKey?: string;
      readonly retainKeys?: boolean;
    }
  | { readonly kind: 'map'; readonly element: Schema; readonly atomic?: boolean }
  | StructSchema;

export interface StructSchema {
  readonly kind: 'struct';
  /** Name of the type, for messages and OpenAPI; empty for anonymous ones. */
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldSchema>;
  readonly atomic?: boolean;
  /** Unknown fields are kept (x-kubernetes-preserve-unknown-fields). */
  readonly preserveUnknown?: boolean;
}

export interface FieldSchema {
  readonly schema: Schema;
  readonly required: boolean;
  /** Strategic merge: fields that the patch does not name are dropped when `$retainKeys` says so. */
  readonly retainKeys?: boolean;
}

/** Untyped content: maps merge by key, lists are replaced as a whole. */
export const anySchema: Schema = { kind: 'any' };

/** The schema of one field of a struct, map or untyped value. */
export function fieldSchema(schema: Schema, field: string): Schema {
  if (schema.kind === 'struct') return schema.fields.get(field)?.schema ?? anySchema;
  return schema.kind === 'map' ? schema.element : anySchema;
}

export function elementSchema(schema: Schema): Schema {
  return schema.kind === 'list' ? schema.element : anySchema;
}
