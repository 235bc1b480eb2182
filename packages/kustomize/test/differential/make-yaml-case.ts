/** Random YAML in which the reading and writing of scalars matters: spellings, quotes, folding, block scalars, anchors, line ends. */

import type { Case } from './make-case.ts';
import { Random } from './random.ts';

const spellings = [
  ['yes', 'No', 'on', 'OFF', 'y', 'N', 'true', 'True', 'TRUE', 'false', 'null', 'Null', '~', ''],
  [
    '1',
    '-1',
    '+1',
    '0',
    '00',
    '010',
    '08',
    '0o17',
    '0x1F',
    '0b11',
    '-0b1',
    '1_000',
    '1__0',
    '0x_1',
    '1e3',
    '1E3',
    '1e+3',
    '1.',
    '.5',
    '-.5',
    '1.5e-7',
    '0.1',
    '-0',
    '-0.0',
    '1e400',
  ],
  [
    '123456789012345678901',
    '18446744073709551615',
    '18446744073709551616',
    '-9223372036854775808',
    '-9223372036854775809',
    '9007199254740993',
    '1234567.5',
    '100000',
    '1000000',
    '1000000.5',
    '1e21',
    '1e20',
    '0.00001',
    '0.0001',
    '123456789.123',
  ],
  [
    '2019-08-09',
    '2019-8-9',
    '2019-13-01',
    '2019-02-30',
    '2001-12-14t21:59:43.10-05:00',
    '2001-12-14 21:59:43.10',
    '2001-12-14T21:59:43Z',
    '12:30:45',
    '1:2',
    '190:20:30',
    '12:30:45.6',
  ],
  [
    '.inf',
    '-.INF',
    '.nan',
    '=',
    '<<x',
    '!',
    'a: b'.replace(': ', ':'),
    'a#b',
    '-a',
    '?a',
    ':a',
    'a,b',
    'a[b',
    '@'.replace('@', 'at'),
    '1.2.3',
    '1-2',
    'v1',
    '0.1.2',
    '+',
    '-',
    '.',
    '..',
    '...x',
    '---x',
    '0x',
    '0o8',
    '0b2',
    '1e',
    'e1',
    '_1',
    '1_',
    '!!',
    'null!',
    '~a',
    'é',
    '😀',
    '日本',
    'a\u00a0b',
    'a\u2028b',
    '\u00ad',
  ],
].flat();

const words = [
  'alpha',
  'be',
  'c',
  'delta:',
  '#no',
  'x#y',
  '-',
  '"q"',
  "it's",
  '\\',
  'tab\there',
  'ünïcode',
  '😀',
  'end.',
  'a:b',
  '{',
  ']',
  '%',
  '@x',
  '&a',
  '*b',
  '!t',
  '|',
  '>',
  '  two',
  'longer-word-that-takes-space',
  '12',
  'true',
  '\u00a0',
  '\u2028',
  '\u0007',
  '\u0085',
  '\ufeff',
  'back\\slash',
  '<b>&',
  '`',
];

function text(random: Random): string {
  const count = 1 + random.below(random.chance(0.2) ? 30 : 6);
  let made = '';
  for (let at = 0; at < count; at += 1) {
    if (at > 0) made += random.pick([' ', ' ', ' ', ' ', '  ', '\n', '\n\n', '\n  ', ' \n', '\t']);
    made += random.pick(words);
  }
  if (random.chance(0.2)) made += random.pick(['\n', '\n\n', ' ', '\n ', '\n\n\n']);
  if (random.chance(0.1)) made = random.pick([' ', '\n', '  ', '\t']) + made;
  return made;
}

function doubleQuoted(value: string): string {
  return JSON.stringify(value).replace(
    /[\x7f-\xa0\u2028\u2029\ufeff]/gu,
    (part) => `\\u${part.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Quoted over several lines, so that folding matters. */
function multiLineQuoted(random: Random, indent: string): string {
  const parts = Array.from({ length: 2 + random.below(4) }, () =>
    random.pick(['one', 'two words', 'a  b', 'x:', '#', '-', "'", 'é', '\\']),
  );
  const separator = (): string =>
    random.pick(
      [' ', '\n', '\n', '\n\n', ' \n', '\n\n\n', '\t\n'].map((part) =>
        part.includes('\n') ? part + indent + random.pick(['', ' ', '   ']) : part,
      ),
    );
  const join = (escape: (part: string) => string): string =>
    parts.map((part, index) => (index === 0 ? '' : separator()) + escape(part)).join('');
  if (random.chance(0.5)) return `'${join((part) => part.replaceAll("'", "''"))}'`;
  const continued = random.chance(0.3) ? `\\\n${indent}` : '';
  return `"${join((part) => part.replaceAll('\\', '\\\\').replaceAll('"', '\\"'))}${continued}${random.pick(['', '\\t', '\\x41', '\\u00e9', '\\U0001F600', '\\N', '\\_', '\\e', '\\ '])}"`;
}

function multiLinePlain(random: Random, indent: string): string {
  const lines = Array.from({ length: 1 + random.below(4) }, () =>
    random.pick(['one', 'two words', 'a  b', 'x:y', 'a#b', '-x', "it's", '12', 'http://a/b?c=d', '[x]y'.slice(3)]),
  );
  return (
    lines
      .map(
        (line, index) =>
          (index === 0 ? '' : `${random.pick(['\n', '\n\n', ' \n'])}${indent}${random.pick(['', ' '])}`) + line,
      )
      .join('') + random.pick(['', ' # comment'])
  );
}

function blockScalar(random: Random, indent: string): string {
  const style = random.pick(['|', '>']);
  const chomp = random.pick(['', '-', '+']);
  const extra = random.pick(['', '', ' ', '  ', '    ']);
  const lines = Array.from({ length: 1 + random.below(6) }, () =>
    random.pick([
      'text',
      'more text here',
      '  indented',
      '',
      '',
      ' one',
      'trailing ',
      'tab\there',
      '\tstart',
      '# not a comment',
      'key: value',
      '- item',
      '---'.slice(1),
      'é',
      'x'.repeat(100),
      'word '.repeat(20).trim(),
    ]),
  );
  const first = lines.find((line) => line !== '') ?? 'x';
  const needs = /^[ \t]/u.test(first) || lines.every((line) => line === '');
  const hint = needs ? String(2 + extra.length) : random.chance(0.1) ? String(2 + extra.length) : '';
  const header = random.chance(0.5) ? `${style}${hint}${chomp}` : `${style}${chomp}${hint}`;
  const body = lines.map((line) => (line === '' ? random.pick(['', '', indent]) : indent + extra + line)).join('\n');
  return `${header}${random.pick(['', ' # c'])}\n${body}${random.pick(['', '\n', '\n\n'])}`;
}

function flowValue(random: Random, depth: number): string {
  const kind = random.below(depth > 2 ? 2 : 5);
  if (kind === 0) return random.pick(['a', '1', 'true', '~', "'x'", '"y"', 'a b', '-1', 'x:y', '2019-01-01']);
  if (kind === 1) return doubleQuoted(text(random));
  const gap = (): string => random.pick(['', ' ', '\n      ', ' # c\n      ']);
  const items = Array.from({ length: random.below(4) }, () => flowValue(random, depth + 1));
  if (kind === 2 || kind === 3)
    return `[${items.map((item) => gap() + item).join(',')}${items.length > 0 && random.chance(0.2) ? ',' : ''}${gap()}]`;
  return `{${items.map((item, index) => `${gap()}${random.pick(['k', '"k', "'k"])}${index}`.replace(/(["'])(k\d)$/u, '$1$2$1') + `${random.pick([': ', ' : ', ': '])}${item}`).join(',')}${gap()}}`;
}

function value(random: Random, anchors: string[]): string {
  const indent = '    ';
  switch (random.below(10)) {
    case 0:
    case 1:
      return random.pick(spellings);
    case 2:
    case 3:
      return doubleQuoted(text(random));
    case 4:
      return multiLineQuoted(random, indent);
    case 5:
      return multiLinePlain(random, indent);
    case 6:
      return blockScalar(random, indent);
    case 7:
      return flowValue(random, 0);
    case 8: {
      if (anchors.length > 0 && random.chance(0.5)) return `*${random.pick(anchors)}`;
      const name = `a${anchors.length}`;
      anchors.push(name);
      return `&${name} ${random.pick(['plain', '"quoted"', '[1, 2]', '{x: y}', '12', "''"])}`;
    }
    default:
      return random.pick([
        '!!str 12',
        '!!int "7"',
        '!!float 3',
        '!!bool "true"',
        '!!null ""',
        '!local x',
        '!!binary aGk=',
        '! 12',
        '!!str',
        '!<tag:yaml.org,2002:str> 5',
      ]);
  }
}

function entry(random: Random, index: number, anchors: string[]): string {
  const key = random.pick([
    `k${index}`,
    `"k${index}"`,
    `'k ${index}'`,
    `k.${index}/x`,
    `K-${index}`,
    `? k${index}\n  `,
    `é${index}`,
  ]);
  const written = key.startsWith('?') ? key : key;
  const made = value(random, anchors);
  return `  ${written}:${made === '' ? '' : ` ${made}`}${random.chance(0.1) && !made.includes('+') ? '\n\n  # note' : ''}\n`;
}

/** One resource of several values; a few values only, because one that is refused hides the others. */
export function makeYamlCase(seed: number): Case {
  const random = new Random(seed ^ 0x5eed);
  const anchors: string[] = [];
  const entries = Array.from({ length: 1 + random.below(6) }, (_, index) => entry(random, index, anchors)).join('');
  const merged = random.chance(0.15) ? 'base: &base {m: 1, n: {o: p}}\nuse:\n  <<: *base\n  n: own\n' : '';
  const head = `${random.chance(0.1) ? '# head\n' : ''}apiVersion: v1\nkind: Foo\nmetadata:\n  name: x\n`;
  let source = `${head}${merged}data:\n${entries}`;
  if (random.chance(0.1)) source = source.replaceAll('\n', '\r\n');
  if (random.chance(0.05)) source = `\ufeff${source}`;
  if (random.chance(0.1)) source = `${source}\n---\n\n---\n# only a comment\n`;
  if (random.chance(0.05)) source = source.trimEnd();
  const patched = random.chance(0.3) ? 'namePrefix: p-\ncommonAnnotations: {a: "1"}\n' : '';
  return {
    files: { 'top/kustomization.yaml': `resources: [r.yaml]\n${patched}`, 'top/r.yaml': source },
    directory: 'top',
  };
}
