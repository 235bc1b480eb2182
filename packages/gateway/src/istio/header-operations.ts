/** Owns Istio's header operations: set, add and remove, on requests and on responses. */
import { isFieldName, isFieldValue } from '@kfctl/http';
import type { Fields } from './fields.ts';

export interface HeaderOperations {
  readonly request: HeaderChanges | undefined;
  readonly response: HeaderChanges | undefined;
}

/** Names are lower-case. `%…%` in a value stays as it is: Envoy's substitutions are not supported and are refused. */
export interface HeaderChanges {
  readonly set: ReadonlyMap<string, string>;
  readonly add: ReadonlyMap<string, string>;
  readonly remove: ReadonlySet<string>;
}

export const NO_HEADER_OPERATIONS: HeaderOperations = { request: undefined, response: undefined };

/** Message framing belongs to the gateway. */
const RESERVED = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'upgrade',
  'te',
  'trailer',
  'keep-alive',
]);

export function parseHeaderOperations(fields: Fields | undefined): HeaderOperations {
  if (fields === undefined) return NO_HEADER_OPERATIONS;
  const operations = {
    request: parseChanges(fields.child('request')),
    response: parseChanges(fields.child('response')),
  };
  fields.done();
  return operations;
}

function parseChanges(fields: Fields | undefined): HeaderChanges | undefined {
  if (fields === undefined) return undefined;
  const changes = {
    set: parseValues(fields, 'set'),
    add: parseValues(fields, 'add'),
    remove: new Set((fields.strings('remove') ?? []).map((name) => parseName(fields, 'remove', name))),
  };
  fields.done();
  return changes;
}

function parseValues(fields: Fields, field: 'set' | 'add'): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  for (const [name, value] of fields.stringMap(field) ?? []) {
    if (!isFieldValue(value)) fields.problem(`${field}.${name}`, 'is not a header value');
    if (/%[A-Z]/.test(value)) fields.problem(`${field}.${name}`, 'substitutions are not supported');
    values.set(parseName(fields, field, name), value.replaceAll('%%', '%'));
  }
  return values;
}

function parseName(fields: Fields, field: string, name: string): string {
  const lower = name.toLowerCase();
  const isAuthority = lower === ':authority';
  if (!isAuthority && (!isFieldName(lower) || RESERVED.has(lower)))
    fields.problem(`${field}.${name}`, 'is not a header that can be changed');
  return isAuthority ? 'host' : lower;
}
