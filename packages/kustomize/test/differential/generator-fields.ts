/** configMapGenerator, secretGenerator and generatorOptions, with files of odd content. */

import type { Fields, Scope } from './case.ts';
import { type Obj, names } from './make-objects.ts';
import type { Random } from './random.ts';
import type { Value } from './write-yaml.ts';

/** Lines of env files that every builder accepts; `HOME` alone would read the environment. */
const envLines: readonly string[] = [
  'X=1',
  '# comment',
  '',
  '  Y=two words',
  'W=a=b',
  'EMPTY=',
  'QUOTED="kept as it is"',
  "SINGLE='q'",
  'U=é😀',
  'S=trailing  ',
  '   # indented comment',
  'dotted.key-1_x=ok',
  'URL=https://host/path?a=b&c=d#e',
  'NUMBER=010',
  'BOOL=true',
  'JSON={"a": [1, 2]}',
  'LONG='.padEnd(120, 'long text '),
  'Z_UNSET_IN_THE_ENVIRONMENT',
];

const contents: readonly string[] = [
  '',
  'no line feed',
  'x'.repeat(90),
  'é😀\n',
  'trailing \nspace\n',
  'first\nsecond <&>\n\tindented\n',
  '\n\nleading line feeds\n',
  'windows\r\nlines\r\n',
  '---\nkey: value\n',
  ' indented first line\n',
  'null',
  '12',
  'tab\tinside',
  'two\n\n',
  'bell \u0007\n',
];

const literals: readonly string[] = [
  'a=1',
  'b=x=y',
  'c="quoted"',
  "d='single'",
  'e=',
  'long=some text with spaces',
  'multi=line one\\nline two',
  'f= spaces ',
  'g="un\'even',
  'h=true',
  'i=é',
];

function envFile({ random, files }: Scope, directory: string): string {
  const unique = random.some(envLines, 0.4);
  const joined = (unique.length > 0 ? unique : ['X=1']).join(random.chance(0.1) ? '\r\n' : '\n');
  const name = random.pick(['env.properties', '.env', 'sub/env.txt']);
  files[`${directory}/${name}`] = (random.chance(0.05) ? '\ufeff' : '') + joined + random.pick(['\n', '']);
  return name;
}

function addSources(scope: Scope, directory: string, made: Obj): void {
  const { random, files } = scope;
  if (random.chance(0.6)) made['literals'] = random.some(literals, 0.3);
  if (random.chance(0.3)) {
    const path = envFile(scope, directory);
    if (random.chance(0.5)) made['envs'] = [path];
    else made['env'] = path;
  }
  if (random.chance(0.4)) {
    files[`${directory}/data.conf`] = random.pick(contents);
    files[`${directory}/sub/one.txt`] = random.pick(contents);
    made['files'] = random.some(['data.conf', 'renamed=data.conf', 'sub/one.txt', 'a.b-c_d=sub/one.txt'], 0.5);
  }
}

/** merge and replace mostly name something that was generated before; else every builder would refuse. */
function identity({ random, generated }: Scope, kind: string): Obj {
  const earlier = generated.filter((one) => one.kind === kind);
  if (earlier.length > 0 && random.chance(0.5))
    return { name: random.pick(earlier).name, behavior: random.pick(['merge', 'replace', 'merge', 'create']) };
  const name = random.pick(['settings', 'more', ...names]);
  return { name, ...(random.chance(0.03) ? { behavior: random.pick(['create', 'merge', 'replace']) } : {}) };
}

function generator(scope: Scope, directory: string, kind: 'ConfigMap' | 'Secret'): Obj {
  const { random } = scope;
  const made: Obj = identity(scope, kind);
  addSources(scope, directory, made);
  if (random.chance(0.1)) made['namespace'] = random.pick(['shop', 'infra']);
  if (kind === 'Secret' && random.chance(0.3)) made['type'] = random.pick(['kubernetes.io/tls', 'Opaque', 'x/y']);
  if (random.chance(0.25)) made['options'] = options(random);
  return made;
}

function generators(scope: Scope, directory: string, kind: 'ConfigMap' | 'Secret'): Value[] {
  const count = scope.random.chance(0.25) ? 2 : 1;
  const all = Array.from({ length: count }, () => generator(scope, directory, kind));
  for (const one of all) scope.generated.push({ kind, name: String(one['name']) });
  return all;
}

function options(random: Random): Obj {
  return {
    ...(random.chance(0.4) ? { labels: { gen: random.pick(['true', 'x']) } } : {}),
    ...(random.chance(0.4) ? { annotations: { from: 'generator' } } : {}),
    ...(random.chance(0.4) ? { disableNameSuffixHash: random.chance(0.7) } : {}),
    ...(random.chance(0.2) ? { immutable: random.chance(0.8) } : {}),
  };
}

export const generatorFields: Fields = {
  configMapGenerator: (scope, directory) => generators(scope, directory, 'ConfigMap'),
  secretGenerator: (scope, directory) => generators(scope, directory, 'Secret'),
  generatorOptions: ({ random }) => options(random),
};
