/** Owns strict reading of untyped objects: every field is asked for by name, what nobody asked for is a problem. */
import { parseDurationMs } from '@kfctl/core';

export type Problems = string[];

/** What is wrong with an object, and what is right and changes nothing here. */
export interface Findings {
  readonly problems: Problems;
  readonly notes: string[];
}

/** One object of a manifest. Reads record problems with the field's path; `done()` reports the fields that were never read. */
export class Fields {
  readonly #value: Readonly<Record<string, unknown>>;
  readonly #path: string;
  readonly #findings: Findings;
  readonly #read = new Set<string>();

  constructor(value: unknown, path: string, findings: Findings) {
    this.#path = path;
    this.#findings = findings;
    this.#value = isRecord(value) ? value : {};
    if (!isRecord(value)) findings.problems.push(`${path}: is not an object`);
  }

  /** The names of the fields that are present (null counts as absent, as it does in Kubernetes). */
  names(): readonly string[] {
    return Object.keys(this.#value).filter((name) => !isAbsent(this.#value[name]));
  }

  has(name: string): boolean {
    return !isAbsent(this.#value[name]);
  }

  problem(name: string, text: string): void {
    this.#findings.problems.push(`${this.#at(name)}: ${text}`);
  }

  string(name: string): string | undefined {
    return this.#typed(name, 'a string', (value) => typeof value === 'string');
  }

  requiredString(name: string): string {
    const value = this.string(name);
    if (value === undefined || value === '') this.problem(name, 'is required');
    return value ?? '';
  }

  /** A value that may be a name or a number, as text. */
  scalar(name: string): string | undefined {
    const value = this.#take(name);
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  }

  boolean(name: string): boolean | undefined {
    return this.#typed(name, 'a boolean', (value) => typeof value === 'boolean');
  }

  /** A whole number; Istio also accepts it as a string in some places, and so does this. */
  integer(name: string, range: { readonly min: number; readonly max: number }): number | undefined {
    const raw = this.#take(name);
    if (isAbsent(raw)) return undefined;
    const value = typeof raw === 'string' && /^\d+$/.test(raw) ? Number(raw) : raw;
    if (typeof value === 'number' && Number.isInteger(value) && value >= range.min && value <= range.max) return value;
    this.problem(name, `is not a whole number between ${range.min} and ${range.max}`);
    return undefined;
  }

  number(name: string): number | undefined {
    return this.#typed(
      name,
      'a number',
      (value): value is number => typeof value === 'number' && Number.isFinite(value),
    );
  }

  durationMs(name: string): number | undefined {
    const text = this.string(name);
    if (text === undefined) return undefined;
    const ms = parseDurationMs(text);
    if (ms === undefined || ms < 0) this.problem(name, 'is not a duration such as 30s');
    return ms;
  }

  strings(name: string): readonly string[] | undefined {
    return this.#typed(
      name,
      'a list of strings',
      (value): value is string[] => Array.isArray(value) && value.every((item) => typeof item === 'string'),
    );
  }

  /** A map from string to string. */
  stringMap(name: string): ReadonlyMap<string, string> | undefined {
    const value = this.#typed(
      name,
      'a map of strings',
      (value): value is Record<string, string> =>
        isRecord(value) && Object.values(value).every((item) => typeof item === 'string'),
    );
    return value === undefined ? undefined : new Map(Object.entries(value));
  }

  child(name: string): Fields | undefined {
    const value = this.#take(name);
    return isAbsent(value) ? undefined : new Fields(value, this.#at(name), this.#findings);
  }

  /** A map from string to object, as pairs in the order of the text. */
  childMap(name: string): readonly (readonly [string, Fields])[] {
    const map = this.child(name);
    return map === undefined ? [] : map.names().map((key) => [key, map.child(key) ?? map] as const);
  }

  children(name: string): readonly Fields[] | undefined {
    const value = this.#typed(name, 'a list', (value): value is unknown[] => Array.isArray(value));
    return value?.map((item, index) => new Fields(item, `${this.#at(name)}[${index}]`, this.#findings));
  }

  /** Names fields that change nothing that anybody could expect to change. */
  ignore(...names: readonly string[]): void {
    for (const name of names) this.#read.add(name);
  }

  /** Names a field that means something to Istio and nothing here: people are told where it is set. */
  withoutEffect(name: string, why: string): void {
    this.#read.add(name);
    if (this.has(name)) this.note(name, why);
  }

  note(name: string, text: string): void {
    this.#findings.notes.push(`${this.#at(name)}: ${text}`);
  }

  /** Reports every present field that nobody read: a rule that is half understood is not a rule. */
  done(): void {
    for (const name of this.names()) if (!this.#read.has(name)) this.problem(name, 'is not supported');
  }

  #at(name: string): string {
    return this.#path === '' ? name : `${this.#path}.${name}`;
  }

  #take(name: string): unknown {
    this.#read.add(name);
    return this.#value[name];
  }

  #typed<T>(name: string, kind: string, check: (value: unknown) => value is T): T | undefined {
    const value = this.#take(name);
    if (isAbsent(value)) return undefined;
    if (check(value)) return value;
    this.problem(name, `is not ${kind}`);
    return undefined;
  }
}

function isAbsent(value: unknown): value is null | undefined {
  return value === undefined || value === null;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
