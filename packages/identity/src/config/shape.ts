/**
 * Owns the small schema language of configuration: a shape reads a YAML node into a typed value, reports every mistake
 * instead of throwing at the first, and carries the words that the generated reference shows.
 */
import { parseDurationMs, Secret } from '@kfctl/core';
import type { Environment } from '@kfctl/core';
import type { Problems } from './problems.ts';
import { isNull } from './yaml-tree.ts';
import type { YamlMap, YamlNode } from './yaml-tree.ts';

export interface ReadContext {
  readonly path: string;
  readonly problems: Problems;
  /** Where to point at when the value is missing: its parent. */
  readonly offset: number;
  readonly env: Environment;
  /** Whether `$VAR` in string values means the environment here. */
  readonly expand: boolean;
  /** Whether a key that nobody knows is a mistake here, unless the environment says otherwise; a warning when absent. */
  readonly strict?: boolean;
}

export interface Shape<T> {
  /** What the reference calls it: `string`, `duration`, `list of string`. */
  readonly kind: string;
  readonly summary: string;
  /** Shown in the reference; absent means none or required. */
  readonly fallback?: string;
  readonly required?: boolean;
  readonly fields?: Readonly<Record<string, Shape<unknown>>>;
  /** Always gives a value of the type; when it had to make one up, a problem was reported. */
  read(node: YamlNode | undefined, context: ReadContext): T;
}

interface Presence<T> {
  readonly required?: boolean;
  readonly fallback?: T;
}

export function report(
  context: ReadContext,
  node: YamlNode | undefined,
  text: { message: string; hint: string },
): void {
  context.problems.add({ offset: node?.offset ?? context.offset, path: context.path, ...text });
}

/** Text; numbers and booleans are taken as they are spelt. */
export function string(summary: string, presence: Presence<string> = {}): Shape<string> {
  return scalar({ kind: 'string', summary, empty: '', ...presence, parse: (text) => ({ value: text }) });
}

/** Text that must never be shown. */
export function secret(summary: string, presence: { readonly required?: boolean } = {}): Shape<Secret> {
  const inner = string(summary, presence);
  return { ...inner, kind: 'secret', read: (node, context) => new Secret(inner.read(node, context)) };
}

export function oneOf<const T extends string>(
  summary: string,
  options: { readonly values: readonly T[]; readonly fallback: NoInfer<T> },
): Shape<T> {
  const { values, fallback } = options;
  return scalar<T>({
    kind: values
      .filter((value) => value !== '')
      .map((value) => `\`${value}\``)
      .join(' or '),
    summary,
    empty: fallback,
    fallback,
    parse: (text) => {
      const value = values.find((candidate) => candidate === text);
      return value === undefined ? { expected: `one of ${values.join(', ')}` } : { value };
    },
  });
}

// YAML 1.1 spellings, as Dex's parser knows them, and Go's.
const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  yes: true,
  on: true,
  y: true,
  false: false,
  no: false,
  off: false,
  n: false,
};

export function boolean(summary: string, fallback = false): Shape<boolean> {
  return scalar({
    kind: 'boolean',
    summary,
    empty: fallback,
    fallback,
    parse: (text) => {
      const value = BOOLEANS[text.toLowerCase()];
      return value === undefined ? { expected: 'true or false' } : { value };
    },
  });
}

export function integer(summary: string, options: { fallback: number; min?: number; max?: number }): Shape<number> {
  const { fallback, min = 0, max = Number.MAX_SAFE_INTEGER } = options;
  return scalar({
    kind: 'integer',
    summary,
    empty: fallback,
    fallback,
    parse: (text) => {
      const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
      return value >= min && value <= max ? { value } : { expected: `a whole number between ${min} and ${max}` };
    },
  });
}

/** Milliseconds from Go's duration syntax; `fallback` is written the same way. */
export function duration(summary: string, fallback: string): Shape<number> {
  return scalar({
    kind: 'duration',
    summary,
    empty: parseDurationMs(fallback) ?? 0,
    shownFallback: fallback,
    parse: (text) => {
      const value = parseDurationMs(text);
      return value === undefined || value < 0 ? { expected: 'a duration such as 24h, 5m or 1h30m' } : { value };
    },
  });
}

export function listOf<T>(summary: string, item: Shape<T>, fallback: readonly T[] = []): Shape<readonly T[]> {
  return {
    kind: `list of ${item.kind}`,
    summary,
    ...(item.fields === undefined ? {} : { fields: item.fields }),
    ...(fallback.length === 0 ? {} : { fallback: fallback.join(', ') }),
    read: (node, context) => {
      if (isNull(node)) return fallback;
      if (node.kind !== 'list') {
        report(context, node, {
          message: `is ${article(node)}, not a list`,
          hint: 'Write each item on its own line after "- ".',
        });
        return fallback;
      }
      return node.items.map((value, index) =>
        item.read(value, { ...context, path: `${context.path}[${index}]`, offset: value.offset }),
      );
    },
  };
}

export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return { ...shape, read: (node, context) => (isNull(node) ? undefined : shape.read(node, context)) };
}

/** A shape whose value is turned into another once read. */
export function mapped<T, U>(shape: Shape<T>, turn: (value: T) => U): Shape<U> {
  return { ...shape, read: (node, context) => turn(shape.read(node, context)) };
}

/** The same shape, with `$VAR` and `${VAR}` of its strings replaced from the environment. */
export function expanded<T>(shape: Shape<T>): Shape<T> {
  return { ...shape, read: (node, context) => shape.read(node, { ...context, expand: isExpansionOn(context.env) }) };
}

/** A switch of Dex, in the spellings of Go's ParseBool. */
export function isSaidYes(value: string | undefined): boolean {
  return ['1', 't', 'T', 'TRUE', 'true', 'True'].includes(value ?? '');
}

export function isSaidNo(value: string | undefined): boolean {
  return ['0', 'f', 'F', 'FALSE', 'false', 'False'].includes(value ?? '');
}

function isExpansionOn(env: Environment): boolean {
  return !isSaidNo(env['DEX_EXPAND_ENV']);
}

/** A shape with rules over its whole value; `complain` points at one of its keys (or at the value for ''). */
export function refine<T>(
  shape: Shape<T>,
  rule: (value: T, complain: (key: string, message: string, hint: string) => void, context: ReadContext) => void,
): Shape<T> {
  return {
    ...shape,
    read: (node, context) => {
      const value = shape.read(node, context);
      const complain = (key: string, message: string, hint: string): void => {
        if (key === '') report(context, node, { message, hint });
        else reportKey(context, node, { key, message, hint });
      };
      rule(value, complain, context);
      return value;
    },
  };
}

/** The last entry of a key, whatever its case: Go's JSON decoder, and so Dex, matches keys case-insensitively. */
export function findEntry(map: YamlMap, key: string): YamlMap['entries'][number] | undefined {
  const wanted = key.toLowerCase();
  return map.entries.findLast((entry) => entry.key.toLowerCase() === wanted);
}

export function childPath(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}

/** Reports about a key of a map, pointing at its value. */
export function reportKey(context: ReadContext, parent: YamlNode | undefined, text: KeyProblem): void {
  const entry = parent?.kind === 'map' ? findEntry(parent, text.key) : undefined;
  const { message, hint } = text;
  report({ ...context, path: childPath(context.path, text.key) }, entry?.value ?? parent, { message, hint });
}

export interface KeyProblem {
  readonly key: string;
  readonly message: string;
  readonly hint: string;
}

/** The context of a key whose value another shape reads. */
export function contextOf(context: ReadContext, key: string, parent: YamlNode | undefined): ReadContext {
  return { ...context, path: childPath(context.path, key), offset: parent?.offset ?? context.offset };
}

export function article(node: YamlNode): string {
  return { scalar: 'a single value', list: 'a list', map: 'a map' }[node.kind];
}

interface ScalarRules<T> extends Presence<T> {
  readonly kind: string;
  readonly summary: string;
  /** Stands in after a reported problem, and for an absent value. */
  readonly empty: T;
  readonly shownFallback?: string;
  parse(text: string): { readonly value: T } | { readonly expected: string };
}

function scalar<T>(rules: ScalarRules<T>): Shape<T> {
  const { kind, summary, required = false, fallback, shownFallback } = rules;
  const shown = shownFallback ?? (fallback === undefined ? undefined : String(fallback));
  return {
    kind,
    summary,
    required,
    ...(shown === undefined ? {} : { fallback: shown }),
    read: (node, context) => {
      if (isNull(node)) {
        if (required) report(context, node, { message: 'is required', hint: `Set it: ${summary}` });
        return fallback ?? rules.empty;
      }
      return readScalar(node, context, rules);
    },
  };
}

function readScalar<T>(node: YamlNode, context: ReadContext, rules: ScalarRules<T>): T {
  if (node.kind !== 'scalar') {
    report(context, node, { message: `is ${article(node)}, not ${rules.kind}`, hint: `Expected: ${rules.summary}` });
    return rules.empty;
  }
  const text = context.expand ? expandEnvironment(node.text, context.env) : node.text;
  const parsed = rules.parse(text);
  if ('value' in parsed) {
    if (rules.required === true && text === '') {
      report(context, node, { message: 'is empty', hint: `Set it: ${rules.summary}` });
    }
    return parsed.value;
  }
  report(context, node, { message: `is not ${parsed.expected}`, hint: `Expected: ${rules.summary}` });
  return rules.empty;
}

/** `$VAR` and `${VAR}`; an undefined variable is empty, there is no escape, and the result is not expanded again. */
export function expandEnvironment(text: string, env: Environment): string {
  return text.replaceAll(/\$\{[^}]*\}|\$[A-Za-z_]\w*|\$[0-9*#$@!?-]/g, (match) => {
    const name = match.startsWith('${') ? match.slice(2, -1) : match.slice(1);
    return env[name] ?? '';
  });
}
