/** Owns maps with known keys: case-insensitive names, keys given twice, keys nobody knows. */
import { article, childPath, isSaidNo, isSaidYes, report } from './shape.ts';
import type { ReadContext, Shape } from './shape.ts';
import { isNull } from './yaml-tree.ts';
import type { YamlEntry, YamlMap, YamlNode } from './yaml-tree.ts';

type Fields<T> = { readonly [K in keyof T]-?: Shape<T[K]> };

/** A map with these keys. An absent map reads as one without keys, so that defaults and "is required" work at any depth. */
export function object<T extends object>(summary: string, fields: Fields<T>): Shape<T> {
  const known = new Map(Object.keys(fields).map((key) => [key.toLowerCase(), key]));
  return {
    kind: 'map',
    summary,
    fields: fields as Readonly<Record<string, Shape<unknown>>>,
    read: (node, context) => {
      const map = asMap(node, context);
      const entries = map === undefined ? new Map<string, YamlEntry>() : collect(map, known, context);
      const value: Record<string, unknown> = {};
      for (const [key, shape] of Object.entries<Shape<unknown>>(fields)) {
        const inner = { ...context, path: childPath(context.path, key), offset: map?.offset ?? context.offset };
        value[key] = shape.read(entries.get(key)?.value, inner);
      }
      return value as T;
    },
  };
}

/** Any map, read as text by key. */
export function stringMap(summary: string): Shape<Readonly<Record<string, string>>> {
  return {
    kind: 'map of string',
    summary,
    read: (node, context) => {
      const entries = asMap(node, context)?.entries ?? [];
      return Object.fromEntries(
        entries.flatMap(({ key, value }) => (value.kind === 'scalar' ? [[key, value.text]] : [])),
      );
    },
  };
}

/** A value another reader takes care of (a connector's or a storage's own configuration). */
export function anyNode(summary: string): Shape<YamlNode | undefined> {
  return { kind: 'map', summary, read: (node) => (isNull(node) ? undefined : node) };
}

function asMap(node: YamlNode | undefined, context: ReadContext): YamlMap | undefined {
  if (isNull(node)) return undefined;
  if (node.kind === 'map') return node;
  report(context, node, {
    message: `is ${article(node)}, not a map`,
    hint: 'Write "key: value" lines, indented alike.',
  });
  return undefined;
}

function collect(map: YamlMap, known: ReadonlyMap<string, string>, context: ReadContext): Map<string, YamlEntry> {
  const entries = new Map<string, YamlEntry>();
  for (const entry of map.entries) {
    const name = known.get(entry.key.toLowerCase());
    if (name === undefined) warnUnknown(entry, known, context);
    else if (entries.has(name)) reportTwice(entry, name, context);
    if (name !== undefined) entries.set(name, entry);
  }
  return entries;
}

function reportTwice(entry: YamlEntry, name: string, context: ReadContext): void {
  context.problems.add({
    offset: entry.keyOffset,
    path: childPath(context.path, name),
    message: 'is given twice in the same map; only one of them could take effect',
    hint: `Join both under one "${name}:" key (appending a part to a file that already has it makes two).`,
  });
}

function warnUnknown(entry: YamlEntry, known: ReadonlyMap<string, string>, context: ReadContext): void {
  const near = [...known].find(([key]) => distance(key, entry.key.toLowerCase()) <= 2)?.[1];
  const problem = {
    offset: entry.keyOffset,
    path: childPath(context.path, entry.key),
    message: 'is not a key that is known here',
    hint: near === undefined ? knownKeys(known) : `Did you mean "${near}"?`,
  };
  if (isMistake(context)) context.problems.add(problem);
  else context.problems.warn({ ...problem, message: `${problem.message}; it has no effect` });
}

function knownKeys(known: ReadonlyMap<string, string>): string {
  return known.size === 0 ? 'None are.' : `Known: ${[...known.values()].join(', ')}.`;
}

/** Dex's switch decides where it is set, in the spellings of Go's ParseBool. */
function isMistake({ env, strict = false }: ReadContext): boolean {
  const said = env['DEX_CONFIG_DISALLOW_UNKNOWN_FIELDS'];
  return isSaidYes(said) || (strict && !isSaidNo(said));
}

/** Edit distance of two short words. */
function distance(left: string, right: string): number {
  if (Math.abs(left.length - right.length) > 2) return 3;
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (const [i, letter] of [...left].entries()) {
    const next = [i + 1];
    for (const [j, other] of [...right].entries()) {
      next.push(Math.min((next[j] ?? 0) + 1, (row[j + 1] ?? 0) + 1, (row[j] ?? 0) + (letter === other ? 0 : 1)));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}
