/** Owns the two forms of events: `v1` is stored, `events.k8s.io/v1` names some fields otherwise. */
import type { JsonObject } from '../schema/json.ts';

const RENAMED: readonly (readonly [string, string])[] = [
  ['message', 'note'],
  ['involvedObject', 'regarding'],
  ['reportingComponent', 'reportingController'],
  ['source', 'deprecatedSource'],
  ['firstTimestamp', 'deprecatedFirstTimestamp'],
  ['lastTimestamp', 'deprecatedLastTimestamp'],
  ['count', 'deprecatedCount'],
];
const TO_NEW = new Map(RENAMED);
const TO_CORE = new Map(RENAMED.map(([core, renamed]) => [renamed, core]));

export function eventFromStored(event: JsonObject): JsonObject {
  return rename(event, TO_NEW);
}

export function eventToStored(event: JsonObject): JsonObject {
  return { involvedObject: {}, ...rename(event, TO_CORE) };
}

function rename(event: JsonObject, names: ReadonlyMap<string, string>): JsonObject {
  return Object.fromEntries(Object.entries(event).map(([key, value]) => [names.get(key) ?? key, value]));
}
