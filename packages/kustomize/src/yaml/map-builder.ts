/** Collects the entries of a YAML map while it is parsed: repeated keys, odd keys and merge keys (`<<`). */

import { KustomizeError } from '../errors.ts';
import { MapNode, type Node, copyNode, tags } from './node.ts';
import { oldBooleans } from './resolve-scalar.ts';

const indexedFrom = 24;

export class MapBuilder {
  private readonly map: MapNode;
  private readonly merges: Node[] = [];
  private seen: Set<string> | undefined;

  constructor(line: number) {
    this.map = new MapNode(line);
  }

  add(key: Node, value: Node): void {
    const { map } = this;
    if (key.kind !== 'scalar') {
      map.problem ??= 'a map key is a list or a map';
      return;
    }
    if (key.tag === tags.merge) {
      this.merges.push(value);
      return;
    }
    if (key.tag !== tags.string || (!key.quoted && oldBooleans.has(key.value)))
      map.oddKeys = [...(map.oddKeys ?? []), key];
    if (this.has(key.value)) map.problem ??= `mapping key "${key.value}" already defined`;
    map.keys.push(key.value);
    map.values.push(value);
    this.seen?.add(key.value);
  }

  /** Own keys win over merged ones, and of several merged maps the earlier one wins. */
  finish(): MapNode {
    const [value, second] = this.merges;
    if (value === undefined) return this.map;
    if (second !== undefined) throw new KustomizeError('YAML_SYNTAX', 'duplicate merge key', { line: second.line });
    for (const source of mergeSources(value)) {
      for (const [index, key] of source.keys.entries()) {
        const found = source.values[index];
        if (found === undefined || this.has(key)) continue;
        this.map.keys.push(key);
        this.map.values.push(copyNode(found));
        this.seen?.add(key);
      }
      this.map.problem ??= source.problem;
    }
    return this.map;
  }

  private has(key: string): boolean {
    if (this.map.keys.length < indexedFrom) return this.map.keys.includes(key);
    this.seen ??= new Set(this.map.keys);
    return this.seen.has(key);
  }
}

function mergeSources(value: Node): MapNode[] {
  if (value.kind === 'map') return [value];
  if (value.kind === 'sequence') {
    const maps = value.items.filter((item) => item.kind === 'map');
    if (maps.length === value.items.length) return maps;
  }
  throw new KustomizeError('YAML_SYNTAX', 'a merge key (<<) needs a map or a list of maps', { line: value.line });
}
