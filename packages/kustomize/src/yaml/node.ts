/**
 * The tree that every step of a build works on: YAML nodes whose scalars keep the text they were written with.
 * A scalar gets its type only when it is rendered, which is what makes `010`, `1.0` and `2019-08-09` come out as they do.
 * An empty tag means "decide from the text when rendering".
 */

export type Node = ScalarNode | MapNode | SequenceNode;

export const tags = {
  string: '!!str',
  null: '!!null',
  boolean: '!!bool',
  integer: '!!int',
  float: '!!float',
  timestamp: '!!timestamp',
  binary: '!!binary',
  merge: '!!merge',
} as const;

export class ScalarNode {
  readonly kind = 'scalar';
  value: string;
  tag: string;
  line: number;
  /** Written in quotes or as a block: stays a string when its tag is lost. */
  quoted = false;
  /** Written as a folded block. */
  folded = false;

  constructor(value: string, tag = '', line = 0) {
    this.value = value;
    this.tag = tag;
    this.line = line;
  }

  /** Takes over another scalar's content, keeping the way this one is written. */
  assign(other: ScalarNode): void {
    if (this.tag === tags.null) this.quoted = other.quoted;
    this.value = other.value;
    this.tag = other.tag;
  }
}

export class MapNode {
  readonly kind = 'map';
  keys: string[] = [];
  values: Node[] = [];
  /** Why this map cannot be rendered (a repeated key, a key that is a list). */
  problem: string | undefined = undefined;
  /** Keys that are not strings (1, true, null); allowed in some places only. */
  oddKeys: ScalarNode[] | undefined = undefined;
  line: number;

  constructor(line = 0) {
    this.line = line;
  }

  get(key: string): Node | undefined {
    const index = this.keys.indexOf(key);
    return index < 0 ? undefined : this.values[index];
  }

  set(key: string, value: Node): void {
    const index = this.keys.indexOf(key);
    if (index < 0) {
      this.keys.push(key);
      this.values.push(value);
    } else {
      this.values[index] = value;
    }
  }

  remove(key: string): void {
    const index = this.keys.indexOf(key);
    if (index < 0) return;
    this.keys.splice(index, 1);
    this.values.splice(index, 1);
  }

  get size(): number {
    return this.keys.length;
  }
}

export class SequenceNode {
  readonly kind = 'sequence';
  items: Node[] = [];
  line: number;

  constructor(line = 0) {
    this.line = line;
  }
}

/** A scalar that is a string whatever its text looks like. */
export function stringNode(value: string): ScalarNode {
  return new ScalarNode(value, tags.string);
}

/** A scalar whose type is decided by its text when it is rendered. */
export function plainNode(value: string): ScalarNode {
  return new ScalarNode(value);
}

export function nullNode(): ScalarNode {
  return new ScalarNode('null', tags.null);
}

export function isNull(node: Node | undefined): boolean {
  return node === undefined || (node.kind === 'scalar' && node.tag === tags.null);
}

/** True for nothing, null, an empty map, an empty list and an empty untyped scalar. */
export function isEmpty(node: Node | undefined): boolean {
  if (node === undefined) return true;
  if (node.kind === 'map') return node.keys.length === 0;
  if (node.kind === 'sequence') return node.items.length === 0;
  return node.tag === tags.null;
}

/** Text of a scalar; empty for everything else. */
export function textOf(node: Node | undefined): string {
  return node !== undefined && node.kind === 'scalar' ? node.value : '';
}

export function copyNode<T extends Node>(node: T): T;
export function copyNode(node: Node): Node {
  if (node.kind === 'scalar') {
    const scalar = new ScalarNode(node.value, node.tag, node.line);
    scalar.quoted = node.quoted;
    scalar.folded = node.folded;
    return scalar;
  }
  if (node.kind === 'sequence') {
    const copy = new SequenceNode(node.line);
    copy.items = node.items.map((item) => copyNode(item));
    return copy;
  }
  const copy = new MapNode(node.line);
  copy.keys = node.keys.slice();
  copy.values = node.values.map((value) => copyNode(value));
  copy.problem = node.problem;
  copy.oddKeys = node.oddKeys;
  return copy;
}
