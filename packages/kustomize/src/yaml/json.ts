/** Nodes <-> plain JSON values, as a JSON library sees them: every number is a float, every key a string. */

import { KustomizeError } from '../errors.ts';
import type { Json, JsonObject } from '../patch/json-patch.ts';
import { formatShortest } from './format-number.ts';
import { MapNode, type Node, ScalarNode, SequenceNode, nullNode, stringNode, tags } from './node.ts';
import { resolveTag } from './resolve-scalar.ts';
import { scalarValue } from './scalar-value.ts';

/** Reads a node as JSON; the scalar rules are the resources'. */
export function toJson(node: Node): Json {
  if (node.kind === 'sequence') return node.items.map((item) => toJson(item));
  if (node.kind === 'map') {
    if (node.problem !== undefined) throw new KustomizeError('YAML_VALUE', node.problem, { line: node.line });
    const object: JsonObject = {};
    for (const [index, key] of node.keys.entries()) {
      const value = node.values[index];
      if (value === undefined) continue;
      Object.defineProperty(object, key, {
        value: toJson(value),
        enumerable: true,
        configurable: true,
        writable: true,
      });
    }
    return object;
  }
  const value = scalarValue(node);
  switch (value.kind) {
    case 'string':
      return value.text;
    case 'integer':
      return Number(value.value);
    case 'float':
    case 'boolean':
      return value.value;
    case 'null':
      return null;
    default:
      return value satisfies never;
  }
}

/** Makes nodes of JSON. */
export function fromJson(value: Json): Node {
  if (value === null) return nullNode();
  if (typeof value === 'string') return stringNode(value);
  if (typeof value === 'number') return numberNode(value);
  if (typeof value === 'boolean') return new ScalarNode(String(value), tags.boolean);
  if (Array.isArray(value)) {
    const sequence = new SequenceNode();
    sequence.items = value.map((item) => fromJson(item));
    return sequence;
  }
  return mapFromJson(value);
}

export function mapFromJson(object: JsonObject): MapNode {
  const map = new MapNode();
  for (const [key, value] of Object.entries(object)) {
    map.keys.push(key);
    map.values.push(fromJson(value));
  }
  return map;
}

function numberNode(value: number): ScalarNode {
  const text = formatShortest(value);
  return new ScalarNode(text, resolveTag(text));
}
