/** Owns one object as the store keeps it: its JSON text and the few fields that lookups need. */
import { asArray, asObject, asString, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';

export interface StoredObject {
  /** `group/plural`, the table it lies in. */
  readonly table: string;
  readonly namespace: string;
  readonly name: string;
  readonly revision: number;
  readonly uid: string;
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** The whole object in its stored version. */
  readonly json: string;
}

/** The key of an object within its table; `/` cannot occur in either part. */
export function objectKey(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

export function parseStored(stored: StoredObject): JsonObject {
  return JSON.parse(stored.json) as JsonObject;
}

/** Builds the record of an object; writes the revision into its metadata. */
export function toStored(table: string, object: JsonObject, revision: number): StoredObject {
  const metadata = asObject(object['metadata']);
  metadata['resourceVersion'] = String(revision);
  return fromJson(table, JSON.stringify(object), { object, revision });
}

/** Builds the record around a JSON text read back from disk. */
export function fromJson(
  table: string,
  json: string,
  known: { readonly object?: JsonObject; readonly revision: number },
): StoredObject {
  const metadata = asObject((known.object ?? (JSON.parse(json) as JsonObject))['metadata']);
  const labels = metadata['labels'];
  return {
    table,
    namespace: asString(metadata['namespace']),
    name: asString(metadata['name']),
    revision: known.revision,
    uid: asString(metadata['uid']),
    labels: labels === undefined ? undefined : (asObject(labels) as Record<string, string>),
    json,
  };
}

/** The uids of an object's owners. */
export function ownerUids(object: JsonObject): readonly string[] {
  return asArray(valueAt(object, 'metadata', 'ownerReferences')).map((owner) => asString(valueAt(owner, 'uid')));
}
