/** Owns resource.Quantity: parsing, arithmetic on whole milli-units, and the canonical text. */

const PATTERN = /^([+-]?)(\d+\.?\d*|\.\d+)(?:([eE][+-]?\d+)|([numkMGTPE]|[KMGTPE]i))?$/;
const BINARY: Readonly<Record<string, number>> = { Ki: 10, Mi: 20, Gi: 30, Ti: 40, Pi: 50, Ei: 60 };
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, '': 0, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const NANO = 1_000_000_000n;

export interface Quantity {
  /** The amount in billionths: exact for everything that the API accepts. */
  readonly nano: bigint;
  readonly format: 'binary' | 'decimal' | 'exponent';
}

/** Parses `100m`, `1.5Gi`, `2e3`, 4 …; undefined when it is no quantity. */
export function parseQuantity(value: unknown): Quantity | undefined {
  const text = typeof value === 'number' ? String(value) : value;
  if (typeof text !== 'string' || text.length > 64) return undefined;
  const found = PATTERN.exec(text);
  if (found === null) return undefined;
  const [, sign, digits = '', exponent, suffix = ''] = found;
  const [whole = '', fraction = ''] = digits.split('.');
  const mantissa = BigInt(`${whole}${fraction}`) * (sign === '-' ? -1n : 1n);
  const bits = BINARY[suffix];
  if (bits !== undefined)
    return { nano: divideUp(mantissa * NANO * 2n ** BigInt(bits), 10n ** BigInt(fraction.length)), format: 'binary' };
  const power = (exponent === undefined ? (DECIMAL[suffix] ?? 0) : Number(exponent.slice(1))) + 9 - fraction.length;
  if (power > 60 || power < -60) return undefined;
  const nano = power >= 0 ? mantissa * 10n ** BigInt(power) : divideUp(mantissa, 10n ** BigInt(-power));
  return { nano, format: exponent === undefined ? 'decimal' : 'exponent' };
}

function divideUp(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  return value % by > 0n ? quotient + 1n : quotient;
}

/** The canonical text: the largest suffix that needs no fraction, as the API server writes quantities. */
export function renderQuantity({ nano, format }: Quantity): string {
  if (nano === 0n) return '0';
  if (format === 'binary') {
    const whole = nano / NANO;
    if (nano % NANO === 0n && (whole >= 1024n || whole <= -1024n)) return renderBinary(whole);
    return renderDecimal(nano);
  }
  return format === 'exponent' ? renderExponent(nano) : renderDecimal(nano);
}

function renderBinary(whole: bigint): string {
  for (const [suffix, bits] of Object.entries(BINARY).toReversed()) {
    const unit = 2n ** BigInt(bits);
    if (whole % unit === 0n) return `${whole / unit}${suffix}`;
  }
  return String(whole);
}

function renderDecimal(nano: bigint): string {
  for (const [suffix, power] of Object.entries(DECIMAL).toReversed()) {
    const unit = 10n ** BigInt(power + 9);
    if (nano % unit === 0n) return `${nano / unit}${suffix}`;
  }
  return `${nano}n`;
}

function renderExponent(nano: bigint): string {
  for (let power = 18; power >= -9; power -= 3) {
    const unit = 10n ** BigInt(power + 9);
    if (nano % unit === 0n) return power === 0 ? String(nano / unit) : `${nano / unit}e${power}`;
  }
  return `${nano}n`;
}

/** The canonical text of anything that is a quantity; undefined otherwise. */
export function canonicalQuantity(value: unknown): string | undefined {
  const parsed = parseQuantity(value);
  return parsed === undefined ? undefined : renderQuantity(parsed);
}
