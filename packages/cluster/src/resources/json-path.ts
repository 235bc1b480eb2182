/** Owns the subset of JSONPath that printer columns and selectors of custom kinds use. */
import { isObject } from '../schema/json.ts';

type Step =
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly index: number }
  | { readonly kind: 'slice'; readonly from: number; readonly to: number | undefined }
  | { readonly kind: 'all' }
  | { readonly kind: 'filter'; readonly path: readonly Step[]; readonly equals: boolean; readonly value: unknown };

export type JsonPath = readonly Step[];

const MAX_LENGTH = 1024;
const TOKEN =
  /^(?:\.((?:\\.|[^.[\]\\])+)|\[(-?\d+)\]|\[(-?\d*):(-?\d*)\]|\[['"]((?:\\.|[^'"\\])*)['"]\]|(\[\*\]|\.\*)|\[\?\(@([^=!<>)]+?)\s*(==|!=)\s*(?:'([^']*)'|"([^"]*)"|([^)'"\s]+))\s*\)\])/;

/** Parses `.spec.items[0].name`, `.status.conditions[?(@.type=="Ready")].status` …; undefined for what is not understood. */
export function parseJsonPath(text: string): JsonPath | undefined {
  let rest = text
    .trim()
    .slice(0, MAX_LENGTH)
    .replace(/^\{(.*)\}$/s, '$1')
    .replace(/^\$/, '');
  if (rest !== '' && !/^[.[]/.test(rest)) rest = `.${rest}`;
  const steps: Step[] = [];
  while (rest !== '') {
    const found = TOKEN.exec(rest);
    const step = found === null ? undefined : toStep(found);
    if (found === null || step === undefined) return undefined;
    steps.push(step);
    rest = rest.slice(found[0].length);
  }
  return steps;
}

function toStep(found: RegExpExecArray): Step | undefined {
  const [, field, index, from, to, quoted, all, path, operator, single, double, bare] = found;
  if (all !== undefined || field === '*') return { kind: 'all' };
  if (field !== undefined) return { kind: 'field', name: field.replaceAll(/\\(.)/g, '$1') };
  if (index !== undefined) return { kind: 'index', index: Number(index) };
  if (from !== undefined) return { kind: 'slice', from: Number(from), to: to ? Number(to) : undefined };
  if (quoted !== undefined) return { kind: 'field', name: quoted.replaceAll(/\\(.)/g, '$1') };
  const steps = parseJsonPath(path ?? '');
  if (steps === undefined) return undefined;
  return { kind: 'filter', path: steps, equals: operator === '==', value: single ?? double ?? parseBare(bare ?? '') };
}

function parseBare(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  return Number.isNaN(Number(text)) ? text : Number(text);
}

/** Every value that the path leads to. */
export function readJsonPath(value: unknown, path: JsonPath): readonly unknown[] {
  let found: unknown[] = [value];
  for (const step of path) found = found.flatMap((item) => follow(item, step));
  return found;
}

function follow(value: unknown, step: Step): unknown[] {
  switch (step.kind) {
    case 'field':
      return isObject(value) && Object.hasOwn(value, step.name) ? [value[step.name]] : [];
    case 'index': {
      const item = Array.isArray(value) ? (value.at(step.index) as unknown) : undefined;
      return item === undefined ? [] : [item];
    }
    case 'slice':
      return Array.isArray(value) ? value.slice(step.from, step.to) : [];
    case 'all':
      if (Array.isArray(value)) return [...value];
      return isObject(value) ? Object.values(value) : [];
    case 'filter':
      if (!Array.isArray(value)) return [];
      return value.filter((item) => readJsonPath(item, step.path).includes(step.value) === step.equals);
  }
}
