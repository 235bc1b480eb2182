/** Owns reading of YAML into a tree that remembers where everything stood and how it was spelt. It knows no key of any file. */
import { EVENT_ID, getScalarValue, parseEvents, SCALAR_STYLE, YAMLException } from 'js-yaml';
import type { Event } from 'js-yaml';
import type { Problem, Problems } from './problems.ts';

/** A scalar keeps its source spelling: `012`, `yes` and 15841185641784012345 stay what they look like where text is wanted. */
export interface YamlScalar {
  readonly kind: 'scalar';
  readonly text: string;
  /** Not quoted: only then may it mean null. */
  readonly plain: boolean;
  readonly offset: number;
}

export interface YamlList {
  readonly kind: 'list';
  readonly items: readonly YamlNode[];
  readonly offset: number;
}

export interface YamlEntry {
  readonly key: string;
  readonly keyOffset: number;
  readonly value: YamlNode;
}

export interface YamlMap {
  readonly kind: 'map';
  readonly entries: readonly YamlEntry[];
  readonly offset: number;
}

export type YamlNode = YamlScalar | YamlList | YamlMap;

const MAX_MERGED_ENTRIES = 10_000;
const NULLS: ReadonlySet<string> = new Set(['', '~', 'null', 'Null', 'NULL']);

/** The first document of `text`; undefined, with a problem reported, when it cannot be read. An empty text is an empty map. */
export function parseYamlTree(text: string, problems: Problems): YamlNode | undefined {
  try {
    const events = parseEvents(text, {});
    const reader = new TreeReader(text, events);
    if (events.length === 0) return { kind: 'map', entries: [], offset: 0 };
    if (events.filter((event) => event.type === EVENT_ID.DOCUMENT).length > 1) {
      problems.add({ offset: 0, path: '', message: 'holds several YAML documents', hint: 'Remove the `---` lines.' });
    }
    return reader.document();
  } catch (error) {
    problems.add(describeFailure(error));
    return undefined;
  }
}

function describeFailure(error: unknown): Problem {
  const hint = 'Check indentation and quotes here.';
  if (error instanceof YAMLException) {
    return { offset: error.mark?.position ?? 0, path: '', message: `is not YAML: ${error.reason}`, hint };
  }
  if (error instanceof TreeError) return { offset: error.offset, path: '', message: error.message, hint };
  throw error;
}

class TreeError extends Error {
  readonly offset: number;

  constructor(message: string, offset: number) {
    super(message);
    this.offset = offset;
  }
}

export function isNull(node: YamlNode | undefined): node is undefined {
  return node === undefined || (node.kind === 'scalar' && node.plain && NULLS.has(node.text));
}

class TreeReader {
  readonly #source: string;
  readonly #events: readonly Event[];
  readonly #anchors = new Map<string, YamlNode>();
  #next = 0;
  #merged = 0;

  constructor(source: string, events: readonly Event[]) {
    this.#source = source;
    this.#events = events;
  }

  document(): YamlNode {
    this.#next = 1;
    return this.#peek() === EVENT_ID.POP ? { kind: 'map', entries: [], offset: 0 } : this.#node();
  }

  #peek(): number {
    return this.#events[this.#next]?.type ?? EVENT_ID.POP;
  }

  #node(): YamlNode {
    const event = this.#events[this.#next];
    this.#next += 1;
    if (event === undefined || event.type === EVENT_ID.POP || event.type === EVENT_ID.DOCUMENT) {
      return { kind: 'scalar', text: '', plain: true, offset: this.#source.length };
    }
    if (event.type === EVENT_ID.ALIAS) return this.#alias(event.anchorStart, event.anchorEnd);
    const node = this.#content(event);
    if (event.anchorStart >= 0) this.#anchors.set(this.#source.slice(event.anchorStart, event.anchorEnd), node);
    return node;
  }

  #alias(start: number, end: number): YamlNode {
    const name = this.#source.slice(start, end);
    const node = this.#anchors.get(name);
    if (node === undefined) throw new TreeError(`uses the anchor "${name}" that it does not define before`, start);
    return node;
  }

  #content(event: Exclude<Event, { type: 1 | 5 | 6 }>): YamlNode {
    if (event.type === EVENT_ID.SCALAR) {
      const text = getScalarValue(this.#source, event);
      return { kind: 'scalar', text, plain: event.style === SCALAR_STYLE.PLAIN, offset: Math.max(event.valueStart, 0) };
    }
    return event.type === EVENT_ID.SEQUENCE ? this.#list(event.start) : this.#map(event.start);
  }

  #list(offset: number): YamlList {
    const items: YamlNode[] = [];
    while (this.#peek() !== EVENT_ID.POP) items.push(this.#node());
    this.#next += 1;
    return { kind: 'list', items, offset };
  }

  #map(offset: number): YamlMap {
    const own: YamlEntry[] = [];
    const merged: YamlEntry[] = [];
    while (this.#peek() !== EVENT_ID.POP) {
      const key = this.#node();
      const value = this.#node();
      if (key.kind === 'scalar' && key.plain && key.text === '<<')
        merged.push(...this.#mergeSources(value, key.offset));
      else own.push({ key: key.kind === 'scalar' ? key.text : '?', keyOffset: key.offset, value });
    }
    this.#next += 1;
    const names = new Set(own.map((entry) => entry.key));
    return { kind: 'map', entries: [...own, ...merged.filter((entry) => !names.has(entry.key))], offset };
  }

  // The merge key of YAML 1.1: the map's own keys win, then the sources in order.
  #mergeSources(value: YamlNode, offset: number): readonly YamlEntry[] {
    const sources = value.kind === 'list' ? value.items : [value];
    const byKey = new Map<string, YamlEntry>();
    for (const entry of sources.flatMap((source) => (source.kind === 'map' ? source.entries : []))) {
      if (!byKey.has(entry.key)) byKey.set(entry.key, entry);
    }
    this.#merged += byKey.size;
    if (this.#merged > MAX_MERGED_ENTRIES) throw new TreeError('merges too many keys', offset);
    return [...byKey.values()];
  }
}
