/** Numbers as the Kubernetes tools print them: through JSON and back, so `1.0` is 1 and 1234567.5 is 1.2345675e+06. */

const minInt64 = -(2n ** 63n);
const maxUint64 = 2n ** 64n - 1n;

interface Decimal {
  readonly sign: string;
  readonly digits: string;
  readonly exponent: number;
}

/** Shortest digits that read back as the same number. */
function decimalOf(value: number): Decimal {
  const [mantissa = '0', exponent = '0'] = Math.abs(value).toExponential().split('e');
  return { sign: value < 0 ? '-' : '', digits: mantissa.replace('.', ''), exponent: Number(exponent) };
}

function exponentForm({ sign, digits, exponent }: Decimal): string {
  const mantissa = digits.length === 1 ? digits : `${digits.charAt(0)}.${digits.slice(1)}`;
  const size = String(Math.abs(exponent)).padStart(2, '0');
  return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${size}`;
}

function pointForm({ sign, digits, exponent }: Decimal): string {
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0');
  const rest = digits.slice(exponent + 1);
  return sign + whole + (rest === '' ? '' : `.${rest}`);
}

/** A finite float as JSON writes it. */
export function formatJsonFloat(value: number): string {
  const size = Math.abs(value);
  const decimal = decimalOf(value);
  if (size === 0 || (size >= 1e-6 && size < 1e21)) return pointForm(decimal);
  return exponentForm(decimal).replace(/e-0(\d)$/u, 'e-$1');
}

/** A finite float as the rendered YAML shows it. */
export function formatFloat(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 1e21) {
    const whole = BigInt(formatJsonFloat(value));
    if (whole >= minInt64 && whole <= maxUint64) return String(whole);
  }
  return formatShortest(value);
}

/** Shortest form of a finite float: with an exponent below 1e-4 and from 1e6 on. */
export function formatShortest(value: number): string {
  const decimal = decimalOf(value);
  return decimal.exponent < -4 || decimal.exponent >= 6 ? exponentForm(decimal) : pointForm(decimal);
}
