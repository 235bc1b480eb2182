/** What a generated case is, and what its parts share while they are made. */

import type { Obj } from './make-objects.ts';
import type { Random } from './random.ts';
import type { Value } from './write-yaml.ts';

export interface Case {
  readonly files: Readonly<Record<string, string>>;
  /** The directory to build, relative to the root of the files. */
  readonly directory: string;
}

export interface Scope {
  readonly random: Random;
  readonly files: { [path: string]: string };
  /** Every object that was made so far, for patches and references to aim at. */
  readonly objects: Obj[];
  /** Names of the config maps and secrets that were generated so far. */
  readonly generated: { readonly kind: string; readonly name: string }[];
}

/** Makes the value of one field of a kustomization; undefined when it has nothing to aim at. */
export type Field = (scope: Scope, directory: string) => Value | undefined;

export type Fields = { readonly [name: string]: Field };

export function text(value: Value | undefined): string {
  return typeof value === 'string' ? value : '';
}

export function meta(object: Obj): Obj {
  const value = object['metadata'];
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

export function splitApiVersion(object: Obj): { readonly group: string; readonly version: string } {
  const [left = '', right] = text(object['apiVersion']).split('/');
  return right === undefined ? { group: '', version: left } : { group: left, version: right };
}
