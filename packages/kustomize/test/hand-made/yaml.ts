/** YAML that readers and writers trip over: each case is one resource, or what stands before and after it. */

import { type Cases, top } from './objects.ts';

const head = 'apiVersion: x.io/v1\nkind: Foo\nmetadata: {name: a}\n';

function yaml(body: string, kustomization = 'resources: [r.yaml]\n'): Cases[string] {
  return top(kustomization, { 'top/r.yaml': body });
}

const long = 'word '.repeat(400).trim();

export const yamlCases: Cases = {
  'yaml comments everywhere': yaml(
    `# top\n${head}# a\nspec: # b\n  a: 1 # c\n  # d\n  b: # e\n  - x # f\n  # g\n# end\n`,
  ),
  'yaml comments kept beside patches': yaml(
    `${head}spec:\n  # about a\n  a: 1\n`,
    'resources: [r.yaml]\nnamePrefix: p-\n',
  ),
  'yaml anchors': yaml(`${head}spec:\n  a: &x {b: [1, 2]}\n  c: *x\n  d: &y text\n  e: *y\n`),
  'yaml anchor redefined': yaml(`${head}spec:\n  a: &x 1\n  b: *x\n  c: &x 2\n  d: *x\n`),
  'yaml alias unknown': yaml(`${head}spec: {a: *nope}\n`),
  'yaml merge': yaml(`${head}base: &b {x: 1, y: 2}\nspec:\n  <<: *b\n  y: 3\n`),
  'yaml merge of a list': yaml(`${head}a: &a {x: 1}\nb: &b {x: 2, z: 3}\nspec:\n  <<: [*a, *b]\n  q: 1\n`),
  'yaml merge of text': yaml(`${head}spec:\n  <<: text\n`),
  'yaml block scalars': yaml(
    `${head}spec:\n  a: |\n    x\n      y\n  b: |-\n    x\n  c: |+\n    x\n\n  d: >\n    x\n    y\n\n    z\n  e: >-\n    x\n  f: |2\n     x\n`,
  ),
  'yaml block scalar of only line feeds': yaml(`${head}spec:\n  a: |+\n\n\n  b: |\n\n  c: >+\n\n`),
  'yaml like numbers': yaml(
    `${head}spec: ['1', "1.0", '0x1F', '1e3', '010', '0o17', '+1', '.5', '1_000', '-0', '.inf', '.nan', '12:30:45']\n`,
  ),
  'yaml numbers': yaml(
    `${head}spec: [1, 1.0, 0x1F, 1e3, 010, 0o17, +1, .5, 1_000, -0, .inf, -.inf, .nan, 12:30:45, 0b11, 1e400]\n`,
  ),
  'yaml like booleans and null': yaml(
    `${head}spec: ['yes', "no", 'on', 'off', 'y', 'n', 'true', 'False', 'null', '~', '', 'Null', 'NO']\n`,
  ),
  'yaml booleans and null': yaml(`${head}spec: [yes, no, on, off, y, n, true, False, null, ~, Null, NO]\n`),
  'yaml like dates': yaml(
    `${head}spec: ['2019-08-09', 2019-08-09, "2001-12-14t21:59:43.10-05:00", 2001-12-14 21:59:43]\n`,
  ),
  'yaml big integers': yaml(
    `${head}spec: [9007199254740993, 9223372036854775807, 9223372036854775808, 18446744073709551615, -9223372036854775808]\n`,
  ),
  'yaml integer beyond 64 bits': yaml(`${head}spec: [123456789012345678901234567890]\n`),
  'yaml long lines': yaml(`${head}spec: {a: ${long}, b: "${long}", c: '${'x'.repeat(500)}'}\n`),
  'yaml tabs in values': yaml(`${head}spec: {a: "x\\ty", b: 'x\ty', c: x\ty}\n`),
  'yaml tab as indentation': yaml(`${head}spec:\n\ta: 1\n`),
  'yaml tab after a value': yaml(`${head}spec:\n  a: 1\t\n  b: x\t# c\n`),
  'yaml tab in a block scalar': yaml(`${head}spec:\n  a: |\n    \tx\n    y\tz\n`),
  'yaml windows line ends': yaml(`${head}spec:\n  a: |\n    x\n    y\n  b: z\n`.replaceAll('\n', '\r\n')),
  'yaml old macintosh line ends': yaml(`${head}spec: {a: b}\n`.replaceAll('\n', '\r')),
  'yaml duplicate keys': yaml(`${head}spec: {a: 1, a: 2}\n`),
  'yaml duplicate keys in metadata': yaml('apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  name: b\n'),
  'yaml duplicate top-level keys': yaml(`${head}kind: Bar\n`),
  'yaml empty documents': yaml(`---\n---\n${head}---\n\n---\n# c\n---\n`),
  'yaml only separators': yaml('---\n---\n'),
  'yaml document end marks': yaml(`${head}...\n---\n${head.replace('name: a', 'name: b')}...\n`),
  'yaml directive': yaml(`%YAML 1.1\n---\n${head}`),
  'yaml byte order mark': yaml(`\ufeff${head}spec: {a: b}\n`),
  'yaml unicode': yaml(`${head}spec: {a: é, b: 日本, c: 😀, d: "\\u00e9\\U0001F600", é: x, e: "\u00a0", f: "\\x07"}\n`),
  'yaml line separators': yaml(`${head}spec: {a: "x\\u2028y", b: "x\\u0085y", c: "\\ufeff"}\n`),
  'yaml control character': yaml(`${head}spec: {a: "x\u0001y"}\n`),
  'yaml escaped control characters': yaml(`${head}spec: {a: "\\0\\a\\b\\e\\v\\f\\r\\x7f"}\n`),
  'yaml keys that are no text': yaml(`${head}spec: {1: a, true: b, 1.5: c, null: d}\n`),
  'yaml keys of data that are no text': yaml(
    'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {1: a, true: b}\n',
  ),
  'yaml key of many lines': yaml(`${head}spec:\n  ? |\n    a\n    b\n  : c\n`),
  'yaml long key': yaml(`${head}spec: {"${'k'.repeat(200)}": v}\n`),
  'yaml list as key': yaml(`${head}spec: {[a, b]: c}\n`),
  'yaml tags': yaml(`${head}spec: [!!str 12, !!int "7", !!float 3, !local x, ! 12, !!binary aGk=, !!set {a, b}]\n`),
  'yaml flow over lines': yaml(`${head}spec: {a: [1,\n  2, # c\n  3], b: {c: d,\n  e}}\n`),
  'yaml quotes over lines': yaml(`${head}spec:\n  a: "x\n    y\n\n    z"\n  b: 'p\n    q'\n  c: "k\\\n    l"\n`),
  'yaml plain over lines': yaml(`${head}spec:\n  a: x\n    y\n\n    z\n`),
  'yaml special starts': yaml(
    `${head}spec: ['@a', '\`b', '%c', '&d', '*e', '!f', '|g', '>h', '- i', '? j', ': k', '#l', '{m', '[n', ',o']\n`,
  ),
  'yaml spaces at the ends': yaml(`${head}spec: {a: ' x', b: 'x ', c: ' ', d: "\\n", e: "x\\n ", f: " \\nx"}\n`),
  'yaml indented lists': yaml(`${head}spec:\n  a:\n    - x\n    -\n      - y\n    - - z\n  b:\n  - k: 1\n    l: 2\n`),
  'yaml bad indentation': yaml(`${head}spec:\n  a: 1\n b: 2\n`),
  'yaml unclosed quote': yaml(`${head}spec: {a: "x}\n`),
  'yaml unclosed flow': yaml(`${head}spec: {a: [1, 2}\n`),
  'yaml colon in a plain value': yaml(`${head}spec:\n  a: b: c\n`),
  'yaml empty values': yaml(`${head}spec:\n  a:\n  b: ""\n  c: {}\n  d: []\n  e: [ ]\n  f: ~\n`),
  'yaml floats are rewritten': yaml(
    `${head}spec: [1.50, 100000000000000000000.0, 0.1e-6, 1E+2, 3.0, 1.0e21, 123456789.125]\n`,
  ),
};
