/**
 * Reads the typed fields of a YAML map. Names match as in the reference (exactly, else ignoring case; the last one wins), unknown fields and
 * wrong types are mistakes, and every mistake names its field and line.
 */

import { KustomizeError } from '../errors.ts';
import type { MapNode, Node, ScalarNode } from '../yaml/node.ts';
import { isNull, tags } from '../yaml/node.ts';
import { oldBoolean, oldKey } from '../yaml/old-dialect.ts';
import { scalarValue } from '../yaml/scalar-value.ts';

export class FieldReader {
  private readonly fields = new Map<string, Node>();
  private readonly path: string;

  constructor(map: MapNode, known: readonly string[], path = '') {
    this.path = path;
    const byLowerCase = new Map(known.map((name) => [name.toLowerCase(), name]));
    for (const [index, key] of map.keys.entries()) {
      const name = known.includes(key) ? key : byLowerCase.get(key.toLowerCase());
      const value = map.values[index];
      if (value === undefined) continue;
      if (name === undefined) throw unknownField(key, value.line, { path, known });
      this.fields.set(name, value);
    }
  }

  /** True when the field is there and not null. */
  has(name: string): boolean {
    return !isNull(this.fields.get(name));
  }

  node(name: string): Node | undefined {
    return this.fields.get(name);
  }

  fieldPath(name: string): string {
    return this.path === '' ? name : `${this.path}.${name}`;
  }

  string(name: string): string {
    return readString(this.fields.get(name), this.fieldPath(name));
  }

  boolean(name: string): boolean {
    return readBoolean(this.fields.get(name), this.fieldPath(name));
  }

  integer(name: string): number {
    const node = this.fields.get(name);
    if (node === undefined || isNull(node)) return 0;
    const value = node.kind === 'scalar' ? scalarValue(node) : undefined;
    if (value?.kind === 'integer') return Number(value.value);
    if (value?.kind === 'float' && Number.isInteger(value.value)) return value.value;
    throw wrongType(node, 'an integer', this.fieldPath(name));
  }

  strings(name: string): string[] {
    return this.list(name, (item, path) => readString(item, path));
  }

  list<T>(name: string, read: (item: Node, path: string) => T): T[] {
    const node = this.fields.get(name);
    if (node === undefined || isNull(node)) return [];
    if (node.kind !== 'sequence') throw wrongType(node, 'a list', this.fieldPath(name));
    return node.items.map((item, index) => read(item, `${this.fieldPath(name)}[${index}]`));
  }

  /** A nested object; undefined when it is missing. */
  object<T>(name: string, read: (map: MapNode, path: string) => T): T | undefined {
    const node = this.fields.get(name);
    if (node === undefined || isNull(node)) return undefined;
    return read(requireMap(node, this.fieldPath(name)), this.fieldPath(name));
  }

  stringMap(name: string): Map<string, string> {
    return this.entries(name, (value, path) => readString(value, path));
  }

  entries<T>(name: string, read: (value: Node, path: string) => T): Map<string, T> {
    const entries = new Map<string, T>();
    const node = this.fields.get(name);
    if (node === undefined || isNull(node)) return entries;
    const map = requireMap(node, this.fieldPath(name));
    for (const [index, key] of map.keys.entries()) {
      const value = map.values[index];
      if (value !== undefined) entries.set(oldKey(map, key), read(value, `${this.fieldPath(name)}.${key}`));
    }
    return new Map([...entries].sort(([left], [right]) => (left < right ? -1 : 1)));
  }
}

export function requireMap(node: Node, path: string): MapNode {
  if (node.kind === 'map') return node;
  throw wrongType(node, 'a map', path);
}

/** Text of a string field; null and missing are "". */
export function readString(node: Node | undefined, path: string): string {
  if (node === undefined || isNull(node)) return '';
  if (node.kind !== 'scalar' || !isStringScalar(node)) throw wrongType(node, 'a string', path);
  return node.value;
}

export function readBoolean(node: Node | undefined, path: string): boolean {
  if (node === undefined || isNull(node)) return false;
  if (node.kind === 'scalar') {
    if (node.tag === tags.boolean) return node.value.toLowerCase() === 'true';
    const boolean = oldBoolean(node);
    if (boolean !== undefined) return boolean;
  }
  throw wrongType(node, 'true or false', path);
}

function isStringScalar(node: ScalarNode): boolean {
  if (node.tag === tags.timestamp) return true;
  if (node.tag === tags.integer || node.tag === tags.float || node.tag === tags.boolean) return false;
  return oldBoolean(node) === undefined;
}

function wrongType(node: Node, expected: string, field: string): KustomizeError {
  const shown = node.kind === 'scalar' ? `\`${node.value}\`` : `a ${node.kind === 'map' ? 'map' : 'list'}`;
  const hint = node.kind === 'scalar' && expected === 'a string' ? `write it in quotes: "${node.value}"` : undefined;
  return new KustomizeError('KUSTOMIZATION_INVALID', `expected ${expected} but found ${shown}`, {
    field,
    line: node.line,
    hint,
  });
}

function unknownField(key: string, line: number, at: { path: string; known: readonly string[] }): KustomizeError {
  const field = at.path === '' ? key : `${at.path}.${key}`;
  const near = at.known.find((name) => isNear(name.toLowerCase(), key.toLowerCase()));
  return new KustomizeError('KUSTOMIZATION_INVALID', `unknown field "${key}"`, {
    field,
    line,
    hint: near === undefined ? undefined : `did you mean "${near}"?`,
  });
}

function isNear(left: string, right: string): boolean {
  if (left.startsWith(right) || right.startsWith(left)) return true;
  if (Math.abs(left.length - right.length) > 1) return false;
  let at = 0;
  while (at < left.length && left[at] === right[at]) at += 1;
  return (
    left.slice(at + 1) === right.slice(at + 1) ||
    left.slice(at + 1) === right.slice(at) ||
    left.slice(at) === right.slice(at + 1)
  );
}
