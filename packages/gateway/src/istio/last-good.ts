/** Owns "a broken object keeps its last good form": parses objects once per version and remembers what worked. */
import type { UnknownObject } from '@kfctl/kube';
import { describeError } from '@kfctl/core';
import { objectKey } from './object-key.ts';
import type { Problems } from './fields.ts';
import type { Source } from './sources.ts';

export interface LastGoodOptions<T> {
  readonly source: Source<UnknownObject>;
  readonly parse: (object: UnknownObject, problems: Problems, notes: string[]) => T;
  /** Called once for each broken version of an object. */
  readonly report: (object: UnknownObject, problems: readonly string[], keptLastGood: boolean) => void;
  /** Called once for each version of an object that is in force, but for some of its fields. */
  readonly remark: (object: UnknownObject, notes: readonly string[]) => void;
}

export interface LastGood<T> {
  /** What is in force now: whole objects, and the last good form of broken ones. */
  models(): readonly T[];
  /** Objects that are broken and never were whole, since this process started. */
  broken(): readonly UnknownObject[];
}

interface Entry<T> {
  readonly object: UnknownObject;
  readonly good: T | undefined;
}

/** Follows a source lazily: the work is done when `models()` is asked, for changed objects only. */
export function createLastGood<T>({ source, parse, report, remark }: LastGoodOptions<T>): LastGood<T> {
  let entries = new Map<string, Entry<T>>();
  const refresh = (): ReadonlyMap<string, Entry<T>> => {
    const next = new Map<string, Entry<T>>();
    for (const object of source.list()) {
      const key = objectKey(object);
      const previous = entries.get(key);
      next.set(key, previous?.object === object ? previous : read(object, previous));
    }
    entries = next;
    return next;
  };
  const read = (object: UnknownObject, previous: Entry<T> | undefined): Entry<T> => {
    const problems: string[] = [];
    const notes: string[] = [];
    const model = attempt(() => parse(object, problems, notes), problems);
    if (problems.length === 0 && model !== undefined) {
      if (notes.length > 0) remark(object, notes);
      return { object, good: model };
    }
    const sameObject = previous?.object.metadata.uid === object.metadata.uid;
    const good = sameObject ? previous?.good : undefined;
    report(object, problems, good !== undefined);
    return { object, good };
  };
  return {
    models: () => [...refresh().values()].flatMap(({ good }) => (good === undefined ? [] : [good])),
    broken: () => [...refresh().values()].filter(({ good }) => good === undefined).map(({ object }) => object),
  };
}

function attempt<T>(parse: () => T, problems: Problems): T | undefined {
  try {
    return parse();
  } catch (error) {
    problems.push(describeError(error));
    return undefined;
  }
}
