/** All places that a target path leads to: with `*`, `[key=value]`, positions, and parts that are made when they are missing. */

import { KustomizeError } from '../errors.ts';
import { MapNode, type Node, ScalarNode, SequenceNode, isNull, plainNode, textOf } from '../yaml/node.ts';
import { parseElement } from './follow-path.ts';
import { goRegExp } from './go-regexp.ts';

/** A node with the collection that holds it. */
export interface Place {
  readonly node: Node;
  readonly parent: MapNode | SequenceNode | undefined;
}

export function replaceAt(place: Place, change: (node: Node) => Node): void {
  const changed = change(place.node);
  if (changed === place.node || place.parent === undefined) return;
  const list = place.parent.kind === 'map' ? place.parent.values : place.parent.items;
  const index = list.indexOf(place.node);
  if (index >= 0) list[index] = changed;
}

type CreateKind = Node['kind'] | undefined;

/** Every match of the path; with a kind, missing parts are made and the last one gets that kind. */
export function matchPath(root: Node, path: readonly string[], create: CreateKind): Place[] {
  return match({ node: root, parent: undefined }, path, create);
}

function match(place: Place, path: readonly string[], create: CreateKind): Place[] {
  const [part] = path;
  if (part === undefined) return [place];
  const { node } = place;
  const rest = path.slice(1);
  if (/^\d+$/u.test(part)) return matchPosition(node, { position: Number(part), rest, create });
  const element = parseElement(part);
  if (element !== undefined) return matchElement(node, { ...element, rest, create });
  if (part === '*')
    return requireList(node, part).items.flatMap((item) =>
      match({ node: item, parent: requireList(node, part) }, rest, create),
    );
  return matchField(node, { name: part, rest, create });
}

function requireList(node: Node, part: string): SequenceNode {
  if (node.kind === 'sequence') return node;
  if (isNull(node)) return new SequenceNode();
  throw new KustomizeError('REPLACEMENT_INVALID', `expected a list at '${part}' but found a ${node.kind}`, {
    line: node.line,
  });
}

function make(next: string | undefined, create: NonNullable<CreateKind>): Node {
  if (next === undefined) return makeKind(create);
  const isList = /^\d+$/u.test(next) || (next.startsWith('[') && next.endsWith(']'));
  return makeKind(isList ? 'sequence' : 'map');
}

function makeKind(kind: NonNullable<CreateKind>): Node {
  if (kind === 'map') return new MapNode();
  return kind === 'sequence' ? new SequenceNode() : new ScalarNode('');
}

interface Rest {
  readonly rest: readonly string[];
  readonly create: CreateKind;
}

function matchField(node: Node, { name, rest, create }: Rest & { readonly name: string }): Place[] {
  if (isNull(node)) return [];
  if (node.kind !== 'map') {
    throw new KustomizeError('REPLACEMENT_INVALID', `expected a map at '${name}' but found a ${node.kind}`, {
      line: node.line,
    });
  }
  let found = node.get(name);
  if (found === undefined) {
    if (create === undefined) return [];
    found = make(rest[0], create);
    node.set(name, found);
  }
  return match({ node: found, parent: node }, rest, create);
}

function matchPosition(node: Node, { position, rest, create }: Rest & { readonly position: number }): Place[] {
  const list = requireList(node, String(position));
  if (position === list.items.length && create !== undefined) list.items.push(make(rest[0], create));
  const item = list.items[position];
  if (item === undefined) {
    throw new KustomizeError(
      'REPLACEMENT_INVALID',
      `index ${position} specified but only ${list.items.length} elements found`,
      {
        line: list.line,
      },
    );
  }
  return match({ node: item, parent: list }, rest, create);
}

interface ElementPart extends Rest {
  readonly key: string;
  readonly value: string;
}

/** The value is a regular expression that is looked for anywhere in the text, as it always was. */
function matchElement(node: Node, part: ElementPart): Place[] {
  const list = requireList(node, `[${part.key}=${part.value}]`);
  const places = findElements(list, part);
  if (places.length > 0 || part.create === undefined) return places;
  list.items.push(makeElement(part));
  return findElements(list, part);
}

function findElements(list: SequenceNode, { key, value, rest, create }: ElementPart): Place[] {
  const pattern = goRegExp(value, 'fieldPaths');
  return list.items.flatMap((item) => {
    const tested = key === '' ? item : item.kind === 'map' ? item.get(key) : undefined;
    if (tested === undefined || !pattern.test(textOf(tested))) return [];
    return key === '' ? [{ node: item, parent: list }] : match({ node: item, parent: list }, rest, create);
  });
}

function makeElement({ key, value }: ElementPart): Node {
  if (key === '') return plainNode(value);
  const map = new MapNode();
  map.set(key, plainNode(value));
  return map;
}
