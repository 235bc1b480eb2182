/** Owns metadata.managedFields as a list of managers and their sets. */
import { asObject, asString } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { asArray } from '../schema/json.ts';
import { createFieldSet, isEmptySet, parseFieldsV1, renderFieldsV1, union } from './field-set.ts';
import type { FieldSet } from './field-set.ts';

export interface Manager {
  readonly name: string;
  readonly operation: 'Apply' | 'Update';
  readonly apiVersion: string;
  readonly subresource: string;
  readonly time: string;
  readonly set: FieldSet;
}

export type ManagerKey = Pick<Manager, 'name' | 'operation' | 'apiVersion' | 'subresource'>;

const MAX_UPDATE_MANAGERS = 10;

export function parseManagers(object: JsonObject): Manager[] {
  return asArray(asObject(object['metadata'])['managedFields']).flatMap((value) => {
    const entry = asObject(value);
    const operation = entry['operation'];
    if (operation !== 'Apply' && operation !== 'Update') return [];
    return [
      {
        name: asString(entry['manager']),
        operation,
        apiVersion: asString(entry['apiVersion']),
        subresource: asString(entry['subresource']),
        time: asString(entry['time']),
        set: parseFieldsV1(entry['fieldsV1']),
      },
    ];
  });
}

/** Writes the managers that own something; the oldest of too many updaters become one. */
export function writeManagers(object: JsonObject, managers: readonly Manager[]): void {
  const metadata = asObject(object['metadata']);
  const entries = mergeOldest(managers.filter((manager) => !isEmptySet(manager.set))).toSorted(compareManagers);
  if (entries.length === 0) delete metadata['managedFields'];
  else metadata['managedFields'] = entries.map(renderManager);
}

function renderManager({ name, operation, apiVersion, subresource, time, set }: Manager): JsonObject {
  return {
    manager: name,
    operation,
    apiVersion,
    ...(time === '' ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: renderFieldsV1(set),
    ...(subresource === '' ? {} : { subresource }),
  };
}

function compareManagers(a: Manager, b: Manager): number {
  const keys = [a.operation, a.time, a.name, a.apiVersion, a.subresource];
  const others = [b.operation, b.time, b.name, b.apiVersion, b.subresource];
  for (const [index, key] of keys.entries()) {
    const other = others[index] ?? '';
    if (key !== other) return key < other ? -1 : 1;
  }
  return 0;
}

function mergeOldest(managers: readonly Manager[]): readonly Manager[] {
  const updaters = managers.filter((manager) => manager.operation === 'Update').toSorted(compareManagers);
  const excess = updaters.slice(0, Math.max(0, updaters.length - MAX_UPDATE_MANAGERS + 1));
  const newest = excess.at(-1);
  if (excess.length < 2 || newest === undefined) return managers;
  const merged = {
    ...newest,
    name: 'ancient-changes',
    subresource: '',
    set: excess.map((manager) => manager.set).reduce(union),
  };
  return [...managers.filter((manager) => !excess.includes(manager)), merged];
}

/** Appliers are the same whatever version they speak; updaters are told apart by it. */
export function isSameManager(a: ManagerKey, b: ManagerKey): boolean {
  return (
    a.name === b.name &&
    a.operation === b.operation &&
    a.subresource === b.subresource &&
    (a.operation === 'Apply' || a.apiVersion === b.apiVersion)
  );
}

export function setOf(managers: readonly Manager[], key: ManagerKey): FieldSet {
  return managers.find((manager) => isSameManager(manager, key))?.set ?? createFieldSet();
}
