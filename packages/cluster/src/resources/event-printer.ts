/** Owns the row of an event. */
import { asString, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { renderAge } from './cells.ts';
import { columns } from './columns.ts';
import type { Printer } from './definition.ts';

export const eventPrinter: Printer = {
  columns: columns(
    'Last Seen',
    'Type',
    'Reason',
    'Object',
    '+Subobject',
    '+Source',
    'Message',
    '+First Seen',
    '+Count',
    '+Name',
  ),
  cells(event, nowMs) {
    const object = valueAt(event, 'involvedObject') ?? valueAt(event, 'regarding');
    const first = event['firstTimestamp'] ?? event['deprecatedFirstTimestamp'] ?? event['eventTime'];
    const last =
      valueAt(event, 'series', 'lastObservedTime') ??
      event['lastTimestamp'] ??
      event['deprecatedLastTimestamp'] ??
      first;
    const count = valueAt(event, 'series', 'count') ?? event['count'] ?? event['deprecatedCount'] ?? 1;
    return [
      renderAge(last, nowMs),
      asString(event['type']),
      asString(event['reason']),
      `${asString(valueAt(object, 'kind')).toLowerCase()}/${asString(valueAt(object, 'name'))}`,
      asString(valueAt(object, 'fieldPath')),
      sourceOf(event),
      asString(event['message'] ?? event['note']).trim(),
      renderAge(first, nowMs),
      Number(count),
      asString(valueAt(event, 'metadata', 'name')),
    ];
  },
};

function sourceOf(event: JsonObject): string {
  const source = event['source'] ?? event['deprecatedSource'];
  const component =
    asString(valueAt(source, 'component')) || asString(event['reportingComponent'] ?? event['reportingController']);
  const host = asString(valueAt(source, 'host'));
  return host === '' ? component : `${component}, ${host}`;
}
