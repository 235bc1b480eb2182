/** Owns requests that are nearly right: for a seed always the same ones, made of what an endpoint reads, live secrets, and damage. */

export interface Endpoint {
  readonly path: string;
  readonly parameters: readonly string[];
}

export interface FuzzRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

/** Values that would be right somewhere, by the name of their parameter. */
export type LiveValues = Readonly<Record<string, readonly string[]>>;

export type Dice = (below: number) => number;

/** Whole numbers below a limit, the same ones for a seed (xorshift). */
export function seededDice(seed: number): Dice {
  let state = seed === 0 ? 1 : seed;
  return (below) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % below;
  };
}

const METHODS = ['GET', 'GET', 'GET', 'POST', 'POST', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'HEAD'] as const;
const FORM = 'application/x-www-form-urlencoded';
const CONTENT_TYPES = [
  FORM,
  FORM,
  FORM,
  FORM,
  `${FORM}; charset=utf-16`,
  'application/json',
  'multipart/form-data',
  '',
];
const STRANGE = [
  '',
  ' ',
  '\0',
  'x\r\nSet-Cookie: a=b\r\n\r\n',
  'x\n{"level":"error","msg":"forged"}',
  '"><script>alert(1)</script>',
  '//evil.example',
  '/\\evil.example',
  'javascript:alert(1)',
  '__proto__',
  'constructor',
  '%00%0d%0a',
  '{"a":1}',
  '\u202Emoc.live',
  '\u{1F600}'.repeat(20),
  'A'.repeat(5000),
  '-1',
  '9'.repeat(30),
  '../../etc/passwd',
  "' OR 1=1 --",
  '*)(uid=*',
  'eyJhbGciOiJub25lIn0.e30.',
];

/** The next request of an endpoint. */
export function nextRequest(dice: Dice, { path, parameters }: Endpoint, live: LiveValues): FuzzRequest {
  const method = pick(dice, METHODS);
  // Half of the requests have one thing wrong, or two: those get far.
  const wild = dice(2) === 0;
  const victims = wild ? parameters : Array.from({ length: dice(3) }, () => pick(dice, parameters));
  const wanted = parameters.filter((name) => !victims.includes(name) || dice(5) > 0);
  const pairs = wanted.map((name): [string, string] => [
    name,
    victims.includes(name) ? valueFor(dice, name, live) : goodValue(dice, name, live),
  ]);
  if (dice(8) === 0) pairs.push([pick(dice, STRANGE), pick(dice, STRANGE)]);
  if (dice(12) === 0 && pairs[0] !== undefined) pairs.push([pairs[0][0], valueFor(dice, pairs[0][0], live)]);
  // Endpoints read some parameters from the address whatever the method is.
  const inAddress = method === 'POST' ? pairs.filter(() => dice(3) === 0) : pairs;
  const inForm = method === 'POST' ? pairs.filter((pair) => !inAddress.includes(pair) || dice(6) === 0) : [];
  const query = new URLSearchParams(inAddress).toString();
  return {
    method,
    target: `${path}${query === '' ? '' : `?${query}`}${dice(20) === 0 ? '&%ZZ=%' : ''}`.slice(0, 12_000),
    headers: headersFor(dice, live, method),
    body: method === 'POST' ? bodyOf(dice, inForm) : undefined,
  };
}

function bodyOf(dice: Dice, pairs: readonly [string, string][]): string {
  const text = new URLSearchParams([...pairs]).toString();
  const damage = dice(15);
  if (damage === 0) return `${text}&%ED%A0%80=%ff%fe`;
  if (damage === 1) return text.slice(0, dice(text.length + 1));
  return damage === 2 ? `${text}&pad=${'x'.repeat(70_000)}` : text;
}

function headersFor(dice: Dice, live: LiveValues, method: string): Record<string, string> {
  const headers: Record<string, string> = {};
  const type = pick(dice, CONTENT_TYPES);
  if (method === 'POST' && type !== '') headers['content-type'] = type;
  const scheme = pick(dice, ['', '', 'Basic ', 'Bearer ', 'bEARER  ', 'Digest ']);
  if (scheme !== '') headers['authorization'] = `${scheme}${headerText(valueFor(dice, 'authorization', live))}`;
  if (dice(10) === 0) headers['sec-fetch-site'] = pick(dice, ['cross-site', 'same-origin', 'none', 'x']);
  if (dice(10) === 0) headers['x-forwarded-for'] = headerText(pick(dice, STRANGE));
  if (dice(10) === 0) headers['cookie'] = headerText(pick(dice, STRANGE));
  else if (live['cookie'] !== undefined && dice(3) === 0)
    headers['cookie'] = valueFor(dice, 'cookie', live).replaceAll(/[^\x21-\x7e]/g, '');
  return headers;
}

function headerText(value: string): string {
  return encodeURIComponent(value.toWellFormed())
    .replaceAll(/%(?:2B|2F|3D|20)/g, decodeURIComponent)
    .slice(0, 3000);
}

function goodValue(dice: Dice, name: string, live: LiveValues): string {
  return live[name] === undefined ? '' : pick(dice, live[name]);
}

function valueFor(dice: Dice, name: string, live: LiveValues): string {
  // Names are hostile too: `constructor` is no entry.
  const good = Object.hasOwn(live, name) ? (live[name] ?? []) : [];
  if (good.length === 0 || dice(3) === 0) return pick(dice, STRANGE);
  const value = pick(dice, good);
  return dice(3) === 0 ? damaged(dice, value) : value;
}

/** One character changed, cut, doubled, encoded once too often, or in other case. */
function damaged(dice: Dice, value: string): string {
  const at = dice(value.length + 1);
  const ways = [
    value.slice(0, at) + String.fromCodePoint(33 + dice(90)) + value.slice(at + 1),
    value.slice(0, at),
    value + value,
    encodeURIComponent(value),
    value.toUpperCase(),
    ` ${value}\t`,
  ];
  return pick(dice, ways);
}

function pick<T>(dice: Dice, list: readonly T[]): T {
  const value = list[dice(list.length)];
  if (value === undefined) throw new Error('nothing to choose from');
  return value;
}
