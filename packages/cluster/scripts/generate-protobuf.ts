/**
 * Writes src/schema/protobuf-messages.json: field numbers of the kinds that clients send as protobuf.
 * Run: `node packages/cluster/scripts/generate-protobuf.ts DIRECTORY`, a directory below which lie the API's generated.proto files.
 */
import { globSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { builtInKinds } from '../src/resources/built-in-kinds.ts';
import types from '../src/schema/types.json' with { type: 'json' };

/** Groups as the packages of the proto files call them; versions that later became stable kept their numbers. */
const PACKAGES: Readonly<Record<string, string>> = {
  '': 'k8s.io.api.core.v1',
  'batch/CronJob': 'k8s.io.api.batch.v1beta1',
  policy: 'k8s.io.api.policy.v1beta1',
  'discovery.k8s.io': 'k8s.io.api.discovery.v1beta1',
  autoscaling: 'k8s.io.api.autoscaling.v2beta2',
  'apiextensions.k8s.io': 'k8s.io.apiextensions_apiserver.pkg.apis.apiextensions.v1',
};
const META = 'k8s.io.apimachinery.pkg.apis.meta.v1';
const EXTRA: Readonly<Record<string, string>> = {
  'meta/DeleteOptions': `${META}.DeleteOptions`,
  'policy/Eviction': 'k8s.io.api.policy.v1beta1.Eviction',
  'autoscaling/Scale': 'k8s.io.api.autoscaling.v1.Scale',
  '/Binding': 'k8s.io.api.core.v1.Binding',
  'authentication.k8s.io/TokenRequest': 'k8s.io.api.authentication.v1.TokenRequest',
};

type Field = readonly [number: number, name: string, type: string, shape: 'one' | 'list' | 'map'];

const [directory = '.'] = process.argv.slice(2);
const messages = new Map<string, Field[]>();
for (const file of globSync(join(directory, '**/generated.proto'))) readProto(readFileSync(file, 'utf8'));

// Newer than the stable releases of the files at hand.
const LATER: readonly (readonly [string, Field])[] = [
  ['k8s.io.api.authentication.v1.SelfSubjectReview', [1, 'metadata', `${META}.ObjectMeta`, 'one']],
  ['k8s.io.api.batch.v1.JobSpec', [9, 'completionMode', 'string', 'one']],
  ['k8s.io.api.batch.v1.JobSpec', [10, 'suspend', 'bool', 'one']],
  ['k8s.io.api.core.v1.ServiceSpec', [21, 'loadBalancerClass', 'string', 'one']],
  ['k8s.io.api.core.v1.ServiceSpec', [22, 'internalTrafficPolicy', 'string', 'one']],
];
for (const [name, field] of LATER)
  messages.set(name, [...(messages.get(name) ?? []).filter((known) => known[1] !== field[1]), field]);

const roots: Record<string, string> = { ...EXTRA };
for (const { group, kind } of builtInKinds) {
  const short = group.split('.')[0] ?? '';
  const name = `${PACKAGES[`${group}/${kind}`] ?? PACKAGES[group] ?? `k8s.io.api.${short}.v1`}.${kind}`.replace(
    'rbac.authorization',
    'rbac',
  );
  const known = [name, name.replace('.rbac.', '.rbac.')].find((candidate) => messages.has(candidate));
  if (known !== undefined) roots[`${group}/${kind}`] = known;
}

const reached: Record<string, string> = {};
const queue = Object.values(roots);
for (let name = queue.pop(); name !== undefined; name = queue.pop()) {
  if (reached[shorten(name)] !== undefined) continue;
  const fields = messages.get(name) ?? [];
  reached[shorten(name)] = fields.map((field) => renderField(name ?? '', field)).join(' ');
  for (const [, , type] of fields) if (messages.has(type)) queue.push(type);
}
const kinds = Object.fromEntries(Object.entries(roots).map(([key, name]) => [key, shorten(name)]));
const lines = Object.entries(reached)
  .toSorted()
  .map(([name, fields]) => `${JSON.stringify(name)}:${JSON.stringify(fields)}`);
writeFileSync(
  join(import.meta.dirname, '../src/schema/protobuf-messages.json'),
  `{"kinds":${JSON.stringify(kinds)},\n"messages":{\n${lines.join(',\n')}\n}}\n`,
);

function readProto(text: string): void {
  const scope = /^package (\S+);/m.exec(text)?.[1] ?? '';
  for (const [, message = '', body = ''] of text.matchAll(/^message (\w+) \{\n([\s\S]*?)^\}/gm)) {
    const fields = [
      ...body.matchAll(/^ {2}(?:(optional|repeated) ([\w.]+)|map<string, ([\w.]+)>) (\w+) = (\d+)/gm),
    ].map((found): Field => {
      const [, kind, type = '', mapType, name = '', number] = found;
      const full = qualify(mapType ?? type, scope);
      return [Number(number), name, full, mapType !== undefined ? 'map' : kind === 'repeated' ? 'list' : 'one'];
    });
    messages.set(`${scope}.${message}`, fields);
  }
}

function qualify(type: string, scope: string): string {
  return /^(?:string|bytes|bool|int32|int64|double)$/.test(type) || type.includes('.') ? type : `${scope}.${type}`;
}

function shorten(name: string): string {
  return name.replace(
    /^k8s\.io\.(?:api|apimachinery\.pkg\.apis|apimachinery\.pkg|apiextensions_apiserver\.pkg\.apis)\./,
    '',
  );
}

/** `2:spec:apps.v1.DeploymentSpec`, with `[]` or `{}` before the type, and `~` where JSON has the fields inline. */
function renderField(owner: string, [number, name, type, shape]: Field): string {
  const prefix = shape === 'list' ? '[]' : shape === 'map' ? '{}' : isInline(owner, name, type) ? '~' : '';
  return `${number}:${name}:${prefix}${shorten(type)}`;
}

function isInline(owner: string, name: string, type: string): boolean {
  const short = owner.split('.').at(-1) ?? '';
  const known =
    (types as Readonly<Record<string, object>>)[`V1${short}`] ??
    (types as Readonly<Record<string, object>>)[`V2${short}`];
  return messages.has(type) && known !== undefined && !Object.hasOwn(known, name);
}
