/** Owns the ownership of fields under ordinary updates, and the fields that nobody owns. */
import type { ServedResource } from '../resources/definition.ts';
import { servedApiVersion } from '../resources/definition.ts';
import { renderTime } from '../registry/object-meta.ts';
import type { JsonObject } from '../schema/json.ts';
import { compareValues, pathSet } from './compare.ts';
import type { Comparison } from './compare.ts';
import { difference, differenceBelow, isSameSet, union } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { isSameManager, parseManagers, setOf, writeManagers } from './managers.ts';
import type { Manager, ManagerKey } from './managers.ts';
import { zeroObject } from './zero-object.ts';

export interface TrackedChange {
  readonly served: ServedResource;
  /** Changed in place. */
  readonly object: JsonObject;
  readonly old: JsonObject | undefined;
  readonly manager: string;
  readonly subresource: string;
  readonly now: Date;
}

const SERVER_FIELDS = [
  ['apiVersion'],
  ['kind'],
  ['metadata'],
  ...[
    'name',
    'namespace',
    'creationTimestamp',
    'selfLink',
    'uid',
    'generation',
    'managedFields',
    'resourceVersion',
    'deletionTimestamp',
    'deletionGracePeriodSeconds',
  ].map((field) => ['metadata', field]),
]
  .map((path) => pathSet(...path.map((field) => `f:${field}`)))
  .reduce(union);

/** A set without the fields that belong to the server. */
export function withoutServerFields(set: FieldSet): FieldSet {
  return withoutManagedBelow(difference(set, SERVER_FIELDS));
}

function withoutManagedBelow(set: FieldSet): FieldSet {
  return differenceBelow(set, pathSet('f:metadata', 'f:managedFields'));
}

/** Records what an update changed, under its manager; others lose what it changed or removed. */
export function trackUpdate({ served, object, old, manager, subresource, now }: TrackedChange): void {
  const { schema } = served.version;
  const before = old ?? (served.definition.customResource ? {} : zeroObject(served.definition.kind));
  const changes = compareValues(before, object, schema);
  const claimed = withoutServerFields(union(changes.added, changes.modified));
  const key: ManagerKey = { name: manager, operation: 'Update', apiVersion: servedApiVersion(served), subresource };
  const managers = parseManagers(object);
  const present = setOf(managers, key);
  const next = difference(union(present, claimed), changes.removed);
  const others = managers.filter((other) => !isSameManager(other, key)).map((other) => takeAway(other, changes));
  const known = managers.find((other) => isSameManager(other, key));
  const time =
    known !== undefined && isSameSet(next, present) && known.time !== '' && !hasChanges(claimed)
      ? known.time
      : renderTime(now);
  writeManagers(object, [...others, { ...key, time, set: next }]);
}

function hasChanges(set: FieldSet): boolean {
  return set.members.size > 0 || set.children.size > 0;
}

/** A manager without what somebody else changed. */
export function takeAway(manager: Manager, changes: Comparison): Manager {
  const set = difference(difference(manager.set, union(changes.modified, changes.added)), changes.removed);
  return { ...manager, set };
}
