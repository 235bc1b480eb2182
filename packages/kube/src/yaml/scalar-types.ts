/**
 * Owns how plain YAML scalars become values: as the API server's YAML reader (sigs.k8s.io/yaml on goyaml.v2) decides it, YAML 1.1's
 * booleans and octals, no sexagesimal numbers, no dates.
 */

const WORDS: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ...words(true, 'y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'),
  ...words(false, 'n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'),
  ...words(null, '', '~', 'null', 'Null', 'NULL'),
]);
const NOT_FINITE: ReadonlyMap<string, number> = new Map([
  ...['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF'].map((word) => [word, Infinity] as const),
  ...['-.inf', '-.Inf', '-.INF'].map((word) => [word, -Infinity] as const),
  ...['.nan', '.NaN', '.NAN'].map((word) => [word, Number.NaN] as const),
]);
const INTEGER = /^([+-]?)(?:0[xX]([\da-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|([1-9]\d*|0))$/;
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const MAX_UINT64 = 2n ** 64n - 1n;
const MIN_INT64 = -(2n ** 63n);

/** true, false or null for a word that means one; undefined for anything else. */
export function parseWord(source: string): boolean | null | undefined {
  return WORDS.get(source);
}

/** An integer of Go's syntax (decimal, 0x, 0b, 0o, leading-zero octal, `_` ignored); a BigInt beyond 2^53. */
export function parseInteger(source: string): number | bigint | undefined {
  const match = INTEGER.exec(source.replaceAll('_', ''));
  if (match === null) return undefined;
  const [, sign, hex, binary, octal, decimal] = match;
  const digits =
    hex !== undefined
      ? `0x${hex}`
      : binary !== undefined
        ? `0b${binary}`
        : octal !== undefined
          ? `0o${octal}`
          : decimal;
  const exact = BigInt(digits ?? '0') * (sign === '-' ? -1n : 1n);
  if (exact > MAX_UINT64 || exact < MIN_INT64) return undefined;
  const number = Number(exact);
  return Number.isSafeInteger(number) ? number : exact;
}

/** A floating point number, `.inf` and `.nan` included. */
export function parseFloatScalar(source: string): number | undefined {
  const special = NOT_FINITE.get(source);
  if (special !== undefined) return special;
  const plain = source.replaceAll('_', '');
  if (!FLOAT.test(plain)) return undefined;
  const number = Number(plain);
  return Number.isFinite(number) ? number : undefined;
}

function words(value: boolean | null, ...names: string[]): (readonly [string, boolean | null])[] {
  return names.map((name) => [name, value] as const);
}
