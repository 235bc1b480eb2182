/** YAML 1.1 as the reference reads kustomization files and JSON patches: `yes` is true, dates are text, keys become text. */

import { KustomizeError } from '../errors.ts';
import type { Json, JsonObject } from '../patch/json-patch.ts';
import { formatFloat } from './format-number.ts';
import type { MapNode, Node, ScalarNode } from './node.ts';
import { tags } from './node.ts';
import { oldBooleans } from './resolve-scalar.ts';
import { scalarValue } from './scalar-value.ts';

const oldTrue = /^(?:y|yes|on)$/iu;

/** True or false for an unquoted `yes`, `off` and their like; undefined for every other scalar. */
export function oldBoolean(node: ScalarNode): boolean | undefined {
  if (node.quoted || node.tag !== tags.string || !oldBooleans.has(node.value)) return undefined;
  return oldTrue.test(node.value);
}

/** The text of a key: numbers and booleans are written in their usual form. */
export function oldKey(map: MapNode, key: string): string {
  const odd = map.oddKeys?.find((candidate) => candidate.value === key);
  if (odd === undefined) return key;
  const boolean = oldBoolean(odd);
  if (boolean !== undefined) return String(boolean);
  const value = scalarValue(odd);
  switch (value.kind) {
    case 'string':
      return key;
    case 'integer':
    case 'boolean':
      return String(value.value);
    case 'float':
      return formatFloat(value.value);
    case 'null':
      throw new KustomizeError('YAML_VALUE', 'a map key is null', { line: odd.line });
    default:
      return value satisfies never;
  }
}

/** Reads a node as JSON by the old rules. */
export function toOldJson(node: Node): Json {
  if (node.kind === 'sequence') return node.items.map((item) => toOldJson(item));
  if (node.kind === 'map') return mapToOldJson(node);
  if (node.tag === tags.timestamp) return node.value;
  const boolean = oldBoolean(node);
  if (boolean !== undefined) return boolean;
  const value = scalarValue(node);
  if (value.kind === 'null') return null;
  if (value.kind === 'string') return value.text;
  return value.kind === 'integer' ? Number(value.value) : value.value;
}

function mapToOldJson(map: MapNode): JsonObject {
  const object: JsonObject = {};
  for (const [index, key] of map.keys.entries()) {
    const value = map.values[index];
    if (value === undefined) continue;
    Object.defineProperty(object, oldKey(map, key), {
      value: toOldJson(value),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return object;
}
