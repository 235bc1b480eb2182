/** Owns the choice of columns for a kind. */
import { asString, valueAt } from '../schema/json.ts';
import type { Printer } from './definition.ts';

export const defaultPrinter: Printer = {
  columns: [{ name: 'Name', type: 'string', format: 'name' }],
  cells: (object) => [asString(valueAt(object, 'metadata', 'name'))],
};

export function printerOf(_group: string, _plural: string): Printer {
  return defaultPrinter;
}
