/** A field spec says which types have a field that a transformer changes, and where: `spec/template/metadata/labels`. */

import { type TypeSelector, isSelectedBy } from '../resource/identity.ts';
import { compareTypes } from '../resource/type-order.ts';
import { KustomizeError } from '../errors.ts';

export interface FieldSpec extends TypeSelector {
  readonly path: string;
  readonly create: boolean;
}

const splitPaths = new Map<string, readonly string[]>();

/** Path parts; `\/` does not split. */
export function splitPath(path: string): readonly string[] {
  const known = splitPaths.get(path);
  if (known !== undefined) return known;
  const parts = splitEscaped(path, '/');
  splitPaths.set(path, parts);
  return parts;
}

/** Splits at a delimiter that has no backslash before it; a leading delimiter is ignored. */
export function splitEscaped(path: string, delimiter: string): string[] {
  const raw = path.split(delimiter);
  if (raw.length > 1 && raw[0] === '') raw.shift();
  const parts: string[] = [];
  for (const part of raw) {
    const last = parts.at(-1);
    if (last?.endsWith('\\')) parts[parts.length - 1] = last.slice(0, -1) + delimiter + part;
    else parts.push(part);
  }
  return parts;
}

/**
 * Adds specs, in the order of their types, that none of the same path covers; the same path with another `create` is a mistake. A spec that
 * is in the way of a wider one keeps it out: that is how a spec for one kind takes the place of the built-in one for all kinds.
 */
export function mergeFieldSpecs(specs: readonly FieldSpec[], added: readonly FieldSpec[]): readonly FieldSpec[] {
  if (specs === added) return specs;
  const merged = specs.slice();
  for (const spec of added.toSorted(compareTypes)) {
    const known = merged.find((candidate) => candidate.path === spec.path && isSelectedBy(candidate, spec));
    if (known === undefined) merged.push(spec);
    else if (known.create !== spec.create) {
      throw new KustomizeError('CONFIG_INVALID', `conflicting fieldspecs for path '${spec.path}'`);
    }
  }
  return merged;
}
