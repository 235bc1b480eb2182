/** Owns reading of YAML nodes with their place in the text, so that every mistake can be pointed at. */
import { isAlias, isMap, isScalar, isSeq } from 'yaml';
import type { Document, Node, Pair } from 'yaml';
import { nearest } from './problems.ts';
import type { Problems, Span } from './problems.ts';

/** One node with its path; `node` is undefined where the document has nothing. */
export interface Place {
  readonly node: Node | undefined;
  readonly path: string;
  /** Where to point when the node is absent. */
  readonly around: Span;
}

export interface Reader {
  /** The fields of a mapping; unknown ones are mistakes. Undefined when it is absent or no mapping. */
  map(place: Place, fields: readonly string[]): ((name: string) => Place) | undefined;
  list(place: Place): readonly Place[];
  /** The text of a scalar as written (`86400`, `true`), or undefined when it is absent or no scalar. */
  text(place: Place): string | undefined;
  /** As `text`, and its absence is a mistake. */
  required(place: Place): string | undefined;
  problem(place: Place, message: string, hint?: string): void;
}

/** The place of a document's root. */
export function rootPlace(document: Document.Parsed): Place {
  return { node: document.contents ?? undefined, path: '', around: [0, 1] };
}

/** Creates a reader that reports into `problems`. */
export function createReader(document: Document.Parsed, problems: Problems): Reader {
  const resolve = (node: Node | undefined): Node | undefined => (isAlias(node) ? node.resolve(document) : node);
  const problem = (place: Place, message: string, hint?: string): void =>
    problems.add({ span: spanOf(place), path: place.path, message, hint });
  const text = (place: Place): string | undefined => {
    const node = resolve(place.node);
    if (isEmpty(node)) return undefined;
    if (!isScalar(node)) {
      problem(place, 'must be a text');
      return undefined;
    }
    return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
  };
  return {
    problem,
    text,
    required: (place) => {
      const value = text(place);
      if (value === undefined && isEmpty(resolve(place.node))) problem(place, 'is required');
      return value;
    },
    list: (place) => {
      const node = resolve(place.node);
      if (isEmpty(node)) return [];
      if (!isSeq(node)) {
        problem(place, 'must be a list');
        return [];
      }
      return node.items.map((item, index) => ({
        node: item as Node,
        path: `${place.path}[${index}]`,
        around: spanOf(place),
      }));
    },
    map: (place, fields) => readMap(place, fields, { resolve, problem }),
  };
}

interface MapTools {
  resolve(node: Node | undefined): Node | undefined;
  problem(place: Place, message: string, hint?: string): void;
}

function readMap(place: Place, fields: readonly string[], tools: MapTools): ((name: string) => Place) | undefined {
  const node = tools.resolve(place.node);
  if (isEmpty(node)) return undefined;
  if (!isMap(node)) {
    tools.problem(place, 'must be a mapping of names to values');
    return undefined;
  }
  const pairs = new Map(node.items.map((pair) => [keyText(pair), pair] as const));
  for (const [name, pair] of pairs) {
    if (fields.includes(name)) continue;
    const near = nearest(name, fields);
    const hint = near === undefined ? `known fields: ${fields.join(', ')}` : `did you mean ${near}?`;
    tools.problem(
      { node: pair.key as Node, path: join(place.path, name), around: spanOf(place) },
      'unknown field',
      hint,
    );
  }
  return (name) => {
    const pair = pairs.get(name);
    const around =
      pair === undefined ? firstKeySpan(node.items) : spanOf({ node: pair.key as Node, path: '', around: [0, 1] });
    return { node: (pair?.value ?? undefined) as Node | undefined, path: join(place.path, name), around };
  };
}

function firstKeySpan(items: readonly Pair[]): Span {
  const key = items[0]?.key;
  return key === undefined || key === null ? [0, 1] : spanOf({ node: key as Node, path: '', around: [0, 1] });
}

function keyText(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}

function spanOf(place: Place): Span {
  const range = place.node?.range;
  return range === undefined || range === null || range[0] === range[1] ? place.around : [range[0], range[1]];
}

function isEmpty(node: Node | undefined): boolean {
  return node === undefined || node === null || (isScalar(node) && node.value === null);
}
