/** Owns what tests of the template language share: the functions of testdata/answer.go, and its data as values. */
import type { TemplateFunction } from '../src/pages/go-template/builtins.ts';
import type { Value } from '../src/pages/go-template/values.ts';

export interface TemplateCase {
  readonly template: string;
  /** Exactly one of the two. */
  readonly output?: string;
  readonly refused?: string;
}

export const TEST_FUNCTIONS: Readonly<Record<string, TemplateFunction>> = {
  issuer: { least: 0, most: 0, call: () => 'K & Co' },
  logo: { least: 0, most: 0, call: () => 'theme/logo.png' },
  url: { least: 2, most: 2, call: ([, asset]) => `/dex/${String(asset)}` },
  lower: { least: 1, most: 1, call: ([text]) => String(text).toLowerCase() },
  extra: { least: 1, most: 1, call: ([key]) => (key === 'notice' ? '<b>Staging</b>' : '') },
};

/** JSON objects are maps to Go. */
export function toValue(json: unknown): Value {
  if (Array.isArray(json)) return json.map(toValue);
  if (typeof json === 'object' && json !== null)
    return new Map(Object.entries(json).map(([key, value]) => [key, toValue(value)]));
  return (json ?? undefined) as Value;
}

/** A number below the one given; the same ones for the same seed. */
export function createRandom(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7f_ff_ff_ff;
    return Math.floor((state / 0x80_00_00_00) * below);
  };
}
