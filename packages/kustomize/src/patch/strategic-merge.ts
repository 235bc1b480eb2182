/** Strategic merge patches: maps are merged, lists are merged by key where the type's schema says so, `$patch` directives are obeyed. */

import { KustomizeError } from '../errors.ts';
import type { Schema, SchemaLookup } from '../schema/merge-schema.ts';
import { MapNode, type Node, type SequenceNode, isEmpty, isNull, textOf } from '../yaml/node.ts';
import { mergeList } from './merge-list.ts';

type Directive = 'merge' | 'replace' | 'delete';

const directiveKey = '$patch';

/**
 * Merges `patch` into `dest`, changing both; undefined means that nothing is left. A patch that says `$patch: replace` of the whole object
 * does nothing: so it is in the reference.
 */
export function strategicMerge(dest: MapNode, patch: MapNode, lookup: SchemaLookup): MapNode | undefined {
  const merged = new Merger(lookup).merge(dest, patch, undefined);
  return merged instanceof MapNode ? dest : undefined;
}

class Merger {
  private readonly lookup: SchemaLookup;

  constructor(lookup: SchemaLookup) {
    this.lookup = lookup;
  }

  merge(dest: Node | undefined, patch: Node | undefined, known: Schema | undefined): Node | undefined {
    const schema = known ?? this.schemaOf(dest) ?? this.schemaOf(patch);
    const shape = [dest, patch].find((node) => !isEmpty(node));
    if (shape === undefined) return this.mergeMaps(dest, patch, schema);
    for (const node of [dest, patch]) {
      if (node !== undefined && !isNull(node) && node.kind !== shape.kind) {
        throw new KustomizeError('PATCH_FAILED', `a ${dest?.kind} cannot be patched with a ${patch?.kind}`, {
          line: patch?.line,
        });
      }
    }
    if (shape.kind === 'map') return this.mergeMaps(dest, patch, schema);
    if (shape.kind === 'scalar') return patch ?? dest;
    return schema?.kind === 'list' ? this.mergeKeyedList(dest, patch, schema) : (patch ?? dest);
  }

  private schemaOf(node: Node | undefined): Schema | undefined {
    if (node?.kind !== 'map') return undefined;
    const kind = textOf(node.get('kind'));
    const apiVersion = textOf(node.get('apiVersion'));
    return kind === '' || apiVersion === '' ? undefined : this.lookup(apiVersion, kind);
  }

  private mergeMaps(dest: Node | undefined, patch: Node | undefined, schema: Schema | undefined): Node | undefined {
    const target = startMap(dest, patch);
    if (target?.kind !== 'map') return target;
    const source = patch?.kind === 'map' ? patch : undefined;
    const fields = schema?.kind === 'object' ? schema.fields : undefined;
    for (const key of new Set([...target.keys, ...(source?.keys ?? [])])) {
      const old = target.get(key);
      const change = source?.get(key);
      if (change === undefined && isNull(old)) continue;
      const value = this.merge(old, change, fieldSchema(fields, key));
      if (value === undefined || isNull(value)) target.remove(key);
      else put(target, key, value);
    }
    return target;
  }

  private mergeKeyedList(
    dest: Node | undefined,
    patch: Node | undefined,
    schema: Schema & { kind: 'list' },
  ): Node | undefined {
    const target = startList(dest, patch);
    if (target?.kind !== 'sequence') return target;
    return mergeList({
      dest: target,
      patch: patch?.kind === 'sequence' ? patch : undefined,
      keys: schema.keys.length === 0 ? [''] : schema.keys,
      mergeElement: (left, right) => this.merge(left, right, schema.items),
    });
  }
}

/** A scalar is overwritten in place: labels share their nodes (see setEntries). */
function put(target: MapNode, key: string, value: Node): void {
  const old = target.get(key);
  if (old === value) return;
  if (old?.kind === 'scalar' && value.kind === 'scalar') old.assign(value);
  else target.set(key, value);
}

function fieldSchema(fields: Readonly<Record<string, Schema>> | undefined, key: string): Schema | undefined {
  return fields !== undefined && Object.hasOwn(fields, key) ? fields[key] : undefined;
}

/** What a map merge starts from: the old map, the patch where there is none or it replaces, or nothing. */
function startMap(dest: Node | undefined, patch: Node | undefined): Node | undefined {
  if (isNull(dest)) {
    if (patch?.kind !== 'map') return patch;
    return takeMapDirective(patch, true) === 'delete' ? undefined : patch;
  }
  if (patch === undefined) return dest;
  if (isNull(patch)) return undefined;
  const directive = patch.kind === 'sequence' ? takeListDirective(patch) : takeMapDirective(patch, false);
  if (directive === 'delete') return undefined;
  return directive === 'replace' ? patch : dest;
}

function startList(dest: Node | undefined, patch: Node | undefined): Node | undefined {
  if (isNull(dest)) return patch;
  if (patch?.kind !== 'sequence') return patch === undefined ? dest : undefined;
  const directive = takeListDirective(patch);
  if (directive === 'delete') return undefined;
  return directive === 'replace' ? patch : dest;
}

function asDirective(node: Node, lenient: boolean): Directive {
  const value = textOf(node);
  if (value === 'merge' || value === 'replace' || value === 'delete') return value;
  if (lenient) return 'merge';
  throw new KustomizeError('PATCH_INVALID', `unknown patch strategy '${value}'`, {
    line: node.line,
    field: directiveKey,
    hint: 'use merge, replace or delete',
  });
}

/** Reads `$patch` and removes it. */
function takeMapDirective(patch: Node, lenient: boolean): Directive {
  if (patch.kind !== 'map') return 'merge';
  const found = patch.get(directiveKey);
  if (found === undefined) return 'merge';
  const directive = asDirective(found, lenient);
  patch.remove(directiveKey);
  return directive;
}

/** An element that holds nothing but `$patch` speaks for the whole list. */
function takeListDirective(patch: SequenceNode): Directive {
  const element = patch.items.find((item) => item.kind === 'map' && item.get(directiveKey) !== undefined);
  if (!(element instanceof MapNode) || element.size > 1) return 'merge';
  const [value] = element.values;
  if (value === undefined) return 'merge';
  const directive = asDirective(value, false);
  patch.items = patch.items.filter((item) => !(item.kind === 'map' && textOf(item.get(directiveKey)) === directive));
  return directive;
}
