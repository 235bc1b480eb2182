/** Owns columns described by JSONPath: additionalPrinterColumns of custom kinds. */
import { asString, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { renderAge } from './cells.ts';
import type { Printer, TableCell, TableColumn } from './definition.ts';
import { parseJsonPath, readJsonPath } from './json-path.ts';

const NAME: TableColumn = { name: 'Name', type: 'string', format: 'name' };
const AGE = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' };

/** A printer with the name first; without own columns the age follows. */
export function createColumnPrinter(columns: readonly JsonObject[]): Printer {
  const own = (columns.length === 0 ? [AGE as JsonObject] : columns).map((column) => ({
    column: {
      name: asString(column['name']),
      type: asString(column['type']),
      format: asString(column['format']),
      description: asString(column['description']),
      priority: typeof column['priority'] === 'number' ? column['priority'] : 0,
    },
    path: parseJsonPath(asString(column['jsonPath'])),
  }));
  return {
    columns: [NAME, ...own.map(({ column }) => column)],
    cells: (object, nowMs) => [
      asString(valueAt(object, 'metadata', 'name')),
      ...own.map(({ column, path }) =>
        renderCell(path === undefined ? [] : readJsonPath(object, path), column.type, nowMs),
      ),
    ],
  };
}

function renderCell(values: readonly unknown[], type: string, nowMs: number): TableCell {
  const value = values[0];
  if (value === undefined || value === null) return null;
  if (type === 'date') return typeof value === 'string' ? renderAge(value, nowMs) : null;
  if (values.length > 1)
    return values.map((item) => (typeof item === 'string' ? item : JSON.stringify(item))).join(',');
  if (type === 'integer' && typeof value === 'number') return Math.trunc(value);
  if (type === 'boolean' && typeof value === 'boolean') return value;
  return typeof value === 'string' || typeof value === 'number' ? value : JSON.stringify(value);
}
