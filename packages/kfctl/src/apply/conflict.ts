/** Owns what happens when others own fields that we want: their values stay, and that is said. */
import { isKubeError } from '@kfctl/kube';
import type { UnknownObject } from '@kfctl/kube';

export interface FieldConflict {
  /** `.data.config.yaml`, `.spec.template.spec.containers[name="dex"].image` */
  readonly field: string;
  /** Who owns it. */
  readonly manager: string;
}

/** The conflicts that a server-side apply was refused for; undefined when it failed for another reason. */
export function conflictsOf(error: unknown): readonly FieldConflict[] | undefined {
  if (!isKubeError(error, 'Conflict')) return undefined;
  const causes = (error.details as { causes?: unknown } | undefined)?.causes;
  if (!Array.isArray(causes)) return undefined;
  const conflicts = (causes as { reason?: unknown; field?: unknown; message?: unknown }[]).flatMap((cause) =>
    cause.reason === 'FieldManagerConflict' && typeof cause.field === 'string'
      ? [{ field: cause.field, manager: /"([^"]*)"/.exec(String(cause.message))?.[1] ?? 'another manager' }]
      : [],
  );
  return conflicts.length === 0 ? undefined : conflicts;
}

/** The object without those fields, which leaves them to their owners. Undefined when a field cannot be found in it. */
export function withoutFields(object: UnknownObject, conflicts: readonly FieldConflict[]): UnknownObject | undefined {
  const copy = structuredClone(object);
  const done = conflicts.every(({ field }) => removeField(copy, field));
  return done ? copy : undefined;
}

type Container = Record<string, unknown> | unknown[];

function removeField(root: UnknownObject, field: string): boolean {
  let rest = field;
  let container: Container = root;
  for (;;) {
    const step = nextStep(container, rest);
    if (step === undefined) return false;
    if (step.rest === '') {
      if (Array.isArray(container)) container.splice(Number(step.key), 1);
      else Reflect.deleteProperty(container, step.key);
      return true;
    }
    const child: unknown = (container as Record<string, unknown>)[step.key];
    if (typeof child !== 'object' || child === null) return false;
    container = child as Container;
    rest = step.rest;
  }
}

interface Step {
  readonly key: string;
  readonly rest: string;
}

/** One element of a structured-merge-diff path. Names may hold dots, so that only the object tells where a name ends. */
function nextStep(container: Container, rest: string): Step | undefined {
  if (rest.startsWith('[') && Array.isArray(container)) return listStep(container, rest);
  if (!rest.startsWith('.') || Array.isArray(container)) return undefined;
  const names = Object.keys(container)
    .filter((name) => rest.startsWith(`.${name}`) && /^(?:$|[.[])/.test(rest.slice(name.length + 1)))
    .toSorted((left, right) => right.length - left.length);
  const key = names[0];
  return key === undefined ? undefined : { key, rest: rest.slice(key.length + 1) };
}

function listStep(list: readonly unknown[], rest: string): Step | undefined {
  const match = /^\[((?:"(?:[^"\\]|\\.)*"|[^\]"])*)\]/.exec(rest);
  const selector = match?.[1];
  if (match === null || selector === undefined) return undefined;
  const index = list.findIndex((item, position) => matches(item, selector, position));
  return index < 0 ? undefined : { key: String(index), rest: rest.slice(match[0].length) };
}

/** `name="dex"`, `containerPort=80,protocol="TCP"`, `="value"` or a position. */
function matches(item: unknown, selector: string, position: number): boolean {
  if (/^\d+$/.test(selector)) return Number(selector) === position;
  const pairs = [...selector.matchAll(/([^=,]*)=("(?:[^"\\]|\\.)*"|[^,]*)/g)];
  return pairs.every(([, key = '', text = '']) => {
    const value: unknown = key === '' ? item : (item as Record<string, unknown> | null)?.[key];
    return JSON.stringify(value) === text;
  });
}
