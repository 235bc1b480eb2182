/** Owns reading of environment settings: every mistake of a process is reported at once, each with its name and the fix. */
import { AppError } from '../errors/app-error.ts';
import { Secret } from '../secrets/secret.ts';
import { parseDurationMs } from '../text/duration.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

export interface EnvReader {
  string(name: string, fallback?: string): string;
  optional(name: string): string | undefined;
  secret(name: string): Secret;
  integer(name: string, range: { readonly fallback?: number; readonly min?: number; readonly max?: number }): number;
  boolean(name: string, fallback: boolean): boolean;
  /** Milliseconds from a Go duration ("30s"), or from a bare number of seconds. */
  durationMs(name: string, fallback: number): number;
  /** Items split at commas and white space. */
  list(name: string, fallback?: readonly string[]): readonly string[];
  /** Adds a problem found by the caller (a rule over several settings). */
  problem(name: string, text: string): void;
  /** Throws one AppError `CONFIG_INVALID` that lists every problem; call it last. */
  finish(): void;
}

const BOOLEANS: Readonly<Record<string, boolean>> = {
  true: true,
  '1': true,
  yes: true,
  on: true,
  t: true,
  false: false,
  '0': false,
  no: false,
  off: false,
  f: false,
};

/** Reads settings from `env`, collecting problems until `finish()`. An empty value counts as absent. */
export function createEnvReader(env: Environment): EnvReader {
  const problems: string[] = [];
  const raw = (name: string): string | undefined =>
    env[name] === undefined || env[name] === '' ? undefined : env[name];
  const problem = (name: string, text: string): void => void problems.push(`${name}: ${text}`);
  const required = (name: string): string => {
    const value = raw(name);
    if (value === undefined) problem(name, 'is required');
    return value ?? '';
  };
  return {
    string: (name, fallback) => raw(name) ?? fallback ?? required(name),
    optional: raw,
    secret: (name) => new Secret(required(name)),
    integer: (name, range) => readInteger(raw(name), range, (text) => problem(name, text)),
    boolean: (name, fallback) => {
      const value = raw(name);
      const parsed = value === undefined ? fallback : BOOLEANS[value.toLowerCase()];
      if (parsed === undefined) problem(name, `"${value}" is not a boolean; use true or false`);
      return parsed ?? fallback;
    },
    durationMs: (name, fallback) => {
      const value = raw(name);
      if (value === undefined) return fallback;
      const ms = /^\d+$/.test(value) ? Number(value) * 1000 : parseDurationMs(value);
      if (ms === undefined || ms < 0) problem(name, `"${value}" is not a duration; write for example 30s, 15m or 24h`);
      return ms ?? fallback;
    },
    list: (name, fallback = []) =>
      raw(name)
        ?.split(/[\s,]+/)
        .filter((item) => item !== '') ?? fallback,
    problem,
    finish: () => {
      if (problems.length === 0) return;
      throw new AppError('CONFIG_INVALID', `invalid settings:\n${problems.map((text) => `  - ${text}`).join('\n')}`, {
        hint: 'Correct the environment variables named above and start again.',
      });
    },
  };
}

interface IntegerRange {
  readonly fallback?: number;
  readonly min?: number;
  readonly max?: number;
}

function readInteger(value: string | undefined, range: IntegerRange, problem: (text: string) => void): number {
  const { fallback, min = Number.MIN_SAFE_INTEGER, max = Number.MAX_SAFE_INTEGER } = range;
  if (value === undefined) {
    if (fallback === undefined) problem('is required');
    return fallback ?? 0;
  }
  const number = /^-?\d+$/.test(value) ? Number(value) : Number.NaN;
  if (!Number.isSafeInteger(number) || number < min || number > max) {
    problem(`"${value}" is not a whole number between ${min} and ${max}`);
  }
  return number;
}
