/** Random YAML in which the reading and writing of scalars matters: spellings, quotes, folding, block scalars, anchors, line ends. */

import type { Case } from './case.ts';
import { blockScalar, doubleQuoted, multiLinePlain, multiLineQuoted, randomText } from './make-yaml-scalar.ts';
import { Random } from './random.ts';
import { spellings } from './yaml-spellings.ts';

function flowValue(random: Random, depth: number): string {
  const kind = random.below(depth > 2 ? 2 : 5);
  if (kind === 0) return random.pick(['a', '1', 'true', '~', "'x'", '"y"', 'a b', '-1', 'x:y', '2019-01-01']);
  if (kind === 1) return doubleQuoted(randomText(random));
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
      return doubleQuoted(randomText(random));
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
