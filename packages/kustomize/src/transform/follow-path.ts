/** Paths with list positions and `[key=value]` parts, as vars and replacements write them. */

import { KustomizeError } from '../errors.ts';
import { splitEscaped } from '../field/field-spec.ts';
import { type Node, isNull, textOf } from '../yaml/node.ts';

/** Splits at dots, but not inside `[name=a.b]`; `[a.b]` without `=` is the key `a.b`. */
export function splitFieldPath(path: string): string[] {
  const parts: string[] = [];
  const split = splitEscaped(path, '.');
  for (let at = 0; at < split.length; at += 1) {
    const part = split[at] ?? '';
    if (!part.startsWith('[') || part.endsWith(']')) {
      parts.push(part);
      continue;
    }
    let bracketed = part;
    while (at < split.length - 1 && !bracketed.endsWith(']')) {
      at += 1;
      bracketed += `.${split[at] ?? ''}`;
    }
    parts.push(bracketed.includes('=') ? bracketed : bracketed.replaceAll(/^[[\]]+|[[\]]+$/gu, ''));
  }
  return parts;
}

/** `[name=value]` -> name and value. */
export function parseElement(part: string): { key: string; value: string } | undefined {
  if (!part.startsWith('[') || !part.endsWith(']')) return undefined;
  const inner = part.slice(1, -1);
  const equals = inner.indexOf('=');
  if (equals < 0)
    throw new KustomizeError('REPLACEMENT_INVALID', `list path element must be [fieldName=fieldValue], not ${part}`);
  return { key: inner.slice(0, equals), value: inner.slice(equals + 1) };
}

function step(node: Node, part: string): Node | undefined {
  if (isNull(node)) return undefined;
  const element = parseElement(part);
  if (/^\d+$/u.test(part) || part === '-' || element !== undefined) {
    if (node.kind !== 'sequence') throw notA(node, 'list', part);
    if (element === undefined) return node.items.at(part === '-' ? -1 : Number(part));
    return node.items.find((item) => matches(item, element));
  }
  if (node.kind !== 'map') throw notA(node, 'map', part);
  return node.get(part);
}

function matches(item: Node, { key, value }: { key: string; value: string }): boolean {
  if (key === '') return textOf(item) === value;
  return item.kind === 'map' && item.get(key) !== undefined && textOf(item.get(key)) === value;
}

function notA(node: Node, expected: string, part: string): KustomizeError {
  return new KustomizeError('FIELD_INVALID', `expected a ${expected} at '${part}' but found a ${node.kind}`, {
    line: node.line,
  });
}

/** The node that the path leads to; undefined when a part is missing. */
export function followPath(root: Node, path: readonly string[]): Node | undefined {
  let node: Node | undefined = root;
  for (const part of path) {
    const name: string = part.trim();
    if (name === '' || node === undefined) continue;
    node = step(node, name);
  }
  return node;
}
