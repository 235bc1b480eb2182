/** Owns the one table of columns by kind; a kind without an entry shows its name and age. */
import { asString, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { renderAge } from './cells.ts';
import { clusterPrinters } from './cluster-printers.ts';
import { columns } from './columns.ts';
import { corePrinters } from './core-printers.ts';
import type { Printer } from './definition.ts';
import { eventPrinter } from './event-printer.ts';
import { podPrinter } from './pod-printer.ts';
import { workloadPrinters } from './workload-printers.ts';

export const defaultPrinter: Printer = {
  columns: columns('Name', 'Created At'),
  cells: (object) => [nameOf(object), asString(valueAt(object, 'metadata', 'creationTimestamp'))],
};

/** Name and age, for kinds that show no more. */
export const agePrinter: Printer = {
  columns: columns('Name', 'Age'),
  cells: (object, nowMs) => [nameOf(object), renderAge(valueAt(object, 'metadata', 'creationTimestamp'), nowMs)],
};

const PRINTERS: Readonly<Record<string, Printer>> = {
  '/pods': podPrinter,
  '/events': eventPrinter,
  'events.k8s.io/events': eventPrinter,
  ...corePrinters,
  ...clusterPrinters,
  ...workloadPrinters,
  '/limitranges': defaultPrinter,
  'rbac.authorization.k8s.io/roles': defaultPrinter,
  'rbac.authorization.k8s.io/clusterroles': defaultPrinter,
  'apiextensions.k8s.io/customresourcedefinitions': defaultPrinter,
};

function nameOf(object: JsonObject): string {
  return asString(valueAt(object, 'metadata', 'name'));
}

export function printerOf(group: string, plural: string): Printer {
  return PRINTERS[`${group}/${plural}`] ?? agePrinter;
}
