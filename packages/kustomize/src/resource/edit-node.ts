/** Small changes to nodes that keep what the reference keeps: a scalar that is overwritten stays quoted if it was. */

import { KustomizeError } from '../errors.ts';
import { MapNode, type Node, type ScalarNode, SequenceNode, isNull } from '../yaml/node.ts';

/** The map at `key`, made when it is missing. */
export function ensureMap(parent: MapNode, key: string): MapNode {
  const found = parent.get(key);
  if (found?.kind === 'map') return found;
  if (found !== undefined && !isNull(found)) {
    throw new KustomizeError('FIELD_INVALID', `'${key}' is not a map`, { line: found.line });
  }
  const made = new MapNode(parent.line);
  parent.set(key, made);
  return made;
}

/** Writes a scalar over whatever stands at `key`. */
export function setScalar(parent: MapNode, key: string, value: ScalarNode): void {
  const found = parent.get(key);
  if (found?.kind === 'scalar') found.assign(value);
  else parent.set(key, value);
}

export function requireSequence(node: Node, what: string): SequenceNode {
  if (node instanceof SequenceNode) return node;
  throw new KustomizeError('FIELD_INVALID', `${what} is not a list`, { line: node.line });
}

export function describeKind(node: Node): string {
  return node.kind === 'sequence' ? 'list' : node.kind;
}
