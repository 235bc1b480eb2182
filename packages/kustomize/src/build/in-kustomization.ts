/** Errors of a step of a build get the place in the kustomization file that asked for the step, where they know none of their own. */

import { join } from 'node:path';
import { KustomizeError } from '../errors.ts';
import type { Loader } from '../files/loader.ts';
import type { Kustomization } from '../kustomization/kustomization.ts';

export interface Place {
  readonly loader: Loader;
  readonly kustomization: Kustomization;
}

/** Runs a step that `field` (one of the kustomization file's, or an entry of one: `patches[2]`) asked for. */
export function inKustomization<T>({ loader, kustomization }: Place, field: string | undefined, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (!(error instanceof KustomizeError) || error.file !== undefined) throw error;
    const file = join(loader.root, kustomization.fileName);
    // A line without a file is one of some object's file; beside this file's name it would mislead.
    const full = fullField(field, error.field);
    throw error.movedTo({ file, field: full, line: lineOf(kustomization, full) });
  }
}

/** `patches` and `target.name` make `patches.target.name`; a field that starts at the top is whole already. */
function fullField(outer: string | undefined, inner: string | undefined): string | undefined {
  if (outer === undefined || inner === undefined) return inner ?? outer;
  const top = outer.replace(/\W.*$/u, '');
  return inner.startsWith(top) ? inner : `${outer}.${inner}`;
}

/** The line of a field or of an entry of it; of a list whose entry is not known, there is none. */
function lineOf({ node }: Kustomization, field: string | undefined): number | undefined {
  const [, name = '', index] = /^(\w+)(?:\[(\d+)\])?/u.exec(field ?? '') ?? [];
  const found = node.get(name);
  if (found?.kind !== 'sequence') return found?.line;
  if (index !== undefined) return found.items[Number(index)]?.line;
  return found.items.length === 1 ? found.items[0]?.line : undefined;
}
