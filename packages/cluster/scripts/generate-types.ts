/**
 * Writes src/schema/types.json: field names and types of the built-in kinds, read from the models of @kubernetes/client-node, plus
 * the list facts (map keys, sets) that those models do not carry. Run: `node packages/cluster/scripts/generate-types.ts`.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { builtInKinds } from '../src/resources/built-in-kinds.ts';
import { listFacts, quantityFields } from './list-facts.ts';

interface Attribute {
  readonly name: string;
  readonly baseName: string;
  readonly type: string;
  readonly format: string;
}

const SCALARS: Readonly<Record<string, string>> = {
  boolean: 'b',
  Date: 't',
  V1MicroTime: 't',
  IntOrString: 'x',
  any: 'a',
  object: 'a',
};
const EXTRA_ROOTS = [
  'V1Scale',
  'V1Eviction',
  'V1Binding',
  'AuthenticationV1TokenRequest',
  'V1DeleteOptions',
  'V1Status',
];

const modelsDirectory = join(
  dirname(createRequire(import.meta.url).resolve('@kubernetes/client-node')),
  'gen',
  'models',
);
const types = new Map<string, Record<string, string>>();
const queue: string[] = [...EXTRA_ROOTS, ...builtInKinds.map((kind) => kind.model)];
for (let model = queue.pop(); model !== undefined; model = queue.pop()) {
  if (!types.has(model)) types.set(model, await readModel(model));
}
const sorted = Object.fromEntries([...types].toSorted(([a], [b]) => (a < b ? -1 : 1)));
const lines = Object.entries(sorted).map(([name, fields]) => `${JSON.stringify(name)}:${JSON.stringify(fields)}`);
writeFileSync(join(import.meta.dirname, '../src/schema/types.json'), `{\n${lines.join(',\n')}\n}\n`);

async function readModel(model: string): Promise<Record<string, string>> {
  const module = (await import(join(modelsDirectory, `${model}.js`))) as Record<
    string,
    { attributeTypeMap: Attribute[] }
  >;
  const declaration = readFileSync(join(modelsDirectory, `${model}.d.ts`), 'utf8');
  const fields: Record<string, string> = {};
  for (const attribute of module[model]?.attributeTypeMap ?? []) {
    const required = declaration.includes(`'${attribute.name}': `) ? '!' : '';
    fields[attribute.baseName] = codeOf(model, attribute) + required;
  }
  return fields;
}

function codeOf(model: string, attribute: Attribute): string {
  const key = `${shortName(model)}.${attribute.baseName}`;
  const list = /^(?:Array|Set)<(.+)>$/.exec(attribute.type);
  if (list?.[1] !== undefined) return `[${listFacts[key] ?? ''}]${scalarCode(list[1], attribute.format, key)}`;
  const map = /^\{ \[key: string\]: (.+); \}$/.exec(attribute.type);
  if (map?.[1] !== undefined) {
    const inner = map[1].startsWith('Array<')
      ? `[]${scalarCode(map[1].slice(6, -1), '', key)}`
      : scalarCode(map[1], attribute.format, key);
    return `{}${inner}`;
  }
  return scalarCode(attribute.type, attribute.format, key);
}

function scalarCode(type: string, format: string, key: string): string {
  if (type === 'string') {
    if (quantityFields.has(key)) return 'q';
    return format === 'byte' ? 'y' : 's';
  }
  if (type === 'number') return format === 'int32' ? 'i' : format === 'double' ? 'n' : 'l';
  const scalar = SCALARS[type];
  if (scalar !== undefined) return scalar;
  queue.push(type);
  return type;
}

function shortName(model: string): string {
  return model.replace(/^(?:[A-Z][a-z]+)?V\d+(?:alpha\d+|beta\d+)?/, '');
}
