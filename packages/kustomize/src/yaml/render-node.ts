/** Nodes -> YAML text, byte for byte as `kubectl kustomize` prints it: sorted keys, compact lists, folding at 80 columns. */

import { KustomizeError } from '../errors.ts';
import { emitString } from './emit-scalar.ts';
import { formatFloat } from './format-number.ts';
import { compareKeys } from './key-order.ts';
import type { MapNode, Node, ScalarNode, SequenceNode } from './node.ts';
import { tags } from './node.ts';
import { type ScalarValue, scalarValue } from './scalar-value.ts';

const spaces: string[] = [];

function indentation(width: number): string {
  return (spaces[width] ??= ' '.repeat(width));
}

const notInJson = /[\x7f-\x84\x86-\x9f\ufffe\uffff]/u;

/** The detour through JSON that the reference takes: line breaks U+0085 are folded, other C1 characters refused. */
function throughJson(text: string, line: number): string {
  if (notInJson.test(text)) throw new KustomizeError('YAML_VALUE', 'control characters are not allowed', { line });
  if (!text.includes('\x85')) return text;
  return text.replace(/ *\x85[ \x85]*/gu, (gap) => '\n'.repeat(gap.split('\x85').length - 2) || ' ');
}

function valueText(value: Exclude<ScalarValue, { kind: 'string' }>): string {
  if (value.kind === 'null') return 'null';
  return value.kind === 'float' ? formatFloat(value.value) : String(value.value);
}

function scalarText(node: ScalarNode, indent: number, column: number): string {
  const value: ScalarValue =
    node.tag === tags.string && !node.folded ? { kind: 'string', text: node.value } : scalarValue(node);
  if (value.kind !== 'string') return valueText(value);
  return emitString(throughJson(value.text, node.line), { indent, column, key: false });
}

function sortedEntries(map: MapNode): number[] {
  const order = map.keys.map((_, index) => index);
  return order.sort((left, right) => compareKeys(map.keys[left] ?? '', map.keys[right] ?? ''));
}

/** A key of one line and at most 128 bytes can stand before `:`; a longer one needs `?`. */
function isSimpleKey(key: string): boolean {
  if (key.length > 128) return false;
  return !/[\n\r\x85\u2028\u2029]/u.test(key) && (key.length <= 42 || Buffer.byteLength(key) <= 128);
}

function refuseProblems(map: MapNode, isRoot: boolean): void {
  const problem = map.problem ?? (isRoot || map.oddKeys === undefined ? undefined : oddKeyProblem(map));
  if (problem !== undefined) throw new KustomizeError('YAML_VALUE', problem, { line: map.line });
}

function oddKeyProblem(map: MapNode): string | undefined {
  const odd = map.oddKeys?.find((key) => key.tag !== tags.string && map.keys.includes(key.value));
  return odd === undefined ? undefined : `map key \`${odd.value}\` is not a string`;
}

function mapText(map: MapNode, indent: number, isRoot = false): string {
  refuseProblems(map, isRoot);
  let text = '';
  for (const index of sortedEntries(map)) {
    const key = map.keys[index];
    const value = map.values[index];
    if (key === undefined || value === undefined) continue;
    if (text !== '') text += `\n${indentation(indent)}`;
    text += isSimpleKey(key) ? simpleEntry(key, value, indent) : complexEntry(key, value, indent);
  }
  return text;
}

function simpleEntry(key: string, value: Node, indent: number): string {
  const name = emitString(throughJson(key, value.line), { indent, column: indent, key: true });
  if (value.kind === 'scalar') return `${name}: ${scalarText(value, indent + 2, indent + name.length + 2)}`;
  if (value.kind === 'map') {
    return value.size === 0
      ? emptyText(name, value)
      : `${name}:\n${indentation(indent + 2)}${mapText(value, indent + 2)}`;
  }
  return value.items.length === 0 ? `${name}: []` : `${name}:\n${indentation(indent)}${sequenceText(value, indent)}`;
}

function emptyText(name: string, map: MapNode): string {
  refuseProblems(map, false);
  return `${name}: {}`;
}

function complexEntry(key: string, value: Node, indent: number): string {
  const inner = indent + 2;
  const name = emitString(throughJson(key, value.line), { indent: inner, column: inner, key: false });
  return `? ${name}\n${indentation(indent)}: ${inlineText(value, inner)}`;
}

/** A node whose first line goes on after `- ` or `: `. */
function inlineText(node: Node, indent: number): string {
  if (node.kind === 'scalar') return scalarText(node, indent, indent);
  if (node.kind === 'map') return node.size === 0 ? '{}' : mapText(node, indent);
  return node.items.length === 0 ? '[]' : sequenceText(node, indent);
}

function sequenceText(sequence: SequenceNode, indent: number): string {
  let text = '';
  for (const item of sequence.items) {
    if (text !== '') text += `\n${indentation(indent)}`;
    text += `- ${inlineText(item, indent + 2)}`;
  }
  return text;
}

/** One YAML document with a final line feed. */
export function renderNode(node: Node): string {
  const text = node.kind === 'map' && node.size > 0 ? mapText(node, 0, true) : inlineText(node, 0);
  // A literal that ends with U+2028 or U+2029 takes no line feed (emitString marks its end).
  return text.includes('\0') ? `${text}\n`.replaceAll('\0\n', '') : `${text}\n`;
}
