/** Walks a field spec's path through an object and hands over every node it leads to, making missing parts when asked to. */

import { KustomizeError } from '../errors.ts';
import { type Type, isSelectedBy } from '../resource/identity.ts';
import { MapNode, type Node, ScalarNode, SequenceNode, isNull } from '../yaml/node.ts';
import { type FieldSpec, splitPath } from './field-spec.ts';

export type FieldKind = 'scalar' | 'map' | 'none';

export interface FieldVisit {
  readonly spec: FieldSpec;
  /** What is made when the field is missing and the spec says create. */
  readonly createKind: FieldKind;
  readonly visit: (node: Node) => void;
}

/** Does nothing when the spec is not for objects of this type. */
export function visitField(root: MapNode, type: Type, field: FieldVisit): void {
  if (!isSelectedBy(type, field.spec)) return;
  walk(root, splitPath(field.spec.path), field);
}

function walk(node: Node, path: readonly string[], field: FieldVisit): void {
  const [part] = path;
  if (part === undefined) {
    field.visit(node);
    return;
  }
  if (isNull(node)) return;
  if (node.kind === 'sequence') {
    walkItems(node, path, field);
    return;
  }
  if (node.kind === 'scalar') {
    throw new KustomizeError('FIELD_INVALID', `expected a list or a map at '${part}' of path '${field.spec.path}'`, {
      line: node.line,
    });
  }
  const next = enter(node, path, field);
  if (next !== undefined) walk(next, path.slice(1), field);
}

const numeric = /^\d+$/u;

/** Paths do not name list positions; the numbers that old configurations contain are taken as positions. */
function walkItems(node: SequenceNode, path: readonly string[], field: FieldVisit): void {
  const [part = ''] = path;
  if (numeric.test(part)) {
    const item = node.items[Number(part)];
    if (item !== undefined) walk(item, path.slice(1), field);
    return;
  }
  for (const item of node.items) walk(item, path, field);
}

function enter(map: MapNode, path: readonly string[], field: FieldVisit): Node | undefined {
  const [part = ''] = path;
  const isList = part.endsWith('[]');
  const name = isList ? part.slice(0, -2) : part;
  const creates = field.spec.create && field.createKind !== 'none' && !isList;
  const leaf = path.length === 1;
  const found = map.get(name);
  if (found === undefined) {
    if (!creates) return undefined;
    const made = make(leaf ? field.createKind : 'map', map.line);
    map.set(name, made);
    return made;
  }
  if (!isNull(found) || (!creates && !isList)) return found;
  if (leaf && field.createKind === 'scalar' && !isList) return found;
  const made = isList ? new SequenceNode(found.line) : make(leaf ? field.createKind : 'map', found.line);
  map.set(name, made);
  return made;
}

function make(kind: FieldKind, line: number): Node {
  return kind === 'map' ? new MapNode(line) : new ScalarNode('', '', line);
}

/** Writes a scalar over a scalar or null; anything else is a mistake in the field spec. */
export function overwriteScalar(node: Node, value: ScalarNode): void {
  if (node.kind !== 'scalar') {
    throw new KustomizeError('FIELD_INVALID', `expected a scalar but found a ${node.kind}`, { line: node.line });
  }
  node.assign(value);
}
