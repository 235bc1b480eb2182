/** Random patches that fit an object: parts of it changed, removed, added, with directives. */

import type { Obj } from './make-objects.ts';
import type { Random } from './random.ts';
import type { Value } from './write-yaml.ts';

function isMap(value: Value | undefined): value is Obj {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function mutateScalar(random: Random, value: Value): Value {
  if (random.chance(0.2)) return null;
  if (typeof value === 'number') return random.pick<Value>([value + 1, '7', 1.5]);
  return random.pick<Value>(['patched', 'true', '1', `${String(value)}-x`, '']);
}

function mutateMap(random: Random, map: Obj, depth: number): Obj {
  const patch: Obj = {};
  for (const [key, value] of Object.entries(map)) {
    if (!random.chance(depth < 2 ? 0.6 : 0.4)) continue;
    patch[key] = mutate(random, value, depth + 1);
  }
  if (random.chance(0.25))
    patch[random.pick(['added', 'extra', 'zeta'])] = random.pick<Value>([
      'new',
      1,
      { a: 'b', gone: null },
      [{ name: 'q', value: '1' }],
      null,
      {},
      [],
    ]);
  if (random.chance(0.06)) patch['$patch'] = random.pick(['delete', 'replace', 'merge']);
  return patch;
}

function mutateList(random: Random, list: Value[], depth: number): Value {
  if (random.chance(0.08)) return null;
  const items: Value[] = [];
  for (const item of list) {
    if (!random.chance(0.6)) continue;
    if (!isMap(item)) {
      items.push(item);
      continue;
    }
    const keys: Obj = {};
    for (const key of [
      'name',
      'mountPath',
      'containerPort',
      'port',
      'protocol',
      'ip',
      'topologyKey',
      'whenUnsatisfiable',
    ]) {
      if (item[key] !== undefined && random.chance(0.97)) keys[key] = item[key];
    }
    const merged = { ...mutateMap(random, item, depth + 1), ...keys };
    if (random.chance(0.1)) merged['$patch'] = random.pick(['delete', 'replace', 'merge']);
    items.push(merged);
  }
  const first = list.find((item) => isMap(item));
  if (random.chance(0.3)) {
    if (first === undefined) items.push('added');
    else
      items.push({
        ...first,
        ...(first['name'] === undefined ? {} : { name: 'added' }),
        ...(first['containerPort'] === undefined ? {} : { containerPort: 81 }),
      });
  }
  if (random.chance(0.05)) items.push({ $patch: random.pick(['replace', 'delete', 'merge']) });
  return random.chance(0.3) ? random.shuffle(items) : items;
}

function mutate(random: Random, value: Value, depth: number): Value {
  if (Array.isArray(value)) return mutateList(random, structuredClone(value), depth);
  if (isMap(value)) return random.chance(0.04) ? null : mutateMap(random, value, depth);
  return mutateScalar(random, value);
}

export function makeStrategicPatch(random: Random, object: Obj): Obj {
  const patch = mutateMap(random, object, 0);
  const metadata = isMap(object['metadata']) ? object['metadata'] : {};
  const changed = isMap(patch['metadata']) ? patch['metadata'] : {};
  delete changed['namespace'];
  delete changed['$patch'];
  patch['apiVersion'] = object['apiVersion'] ?? null;
  patch['kind'] = object['kind'] ?? null;
  patch['metadata'] = {
    ...changed,
    name: metadata['name'] ?? null,
    ...(metadata['namespace'] === undefined ? {} : { namespace: metadata['namespace'] }),
  };
  if (patch['$patch'] === 'replace' || patch['$patch'] === 'merge') delete patch['$patch'];
  return patch;
}

function pointers(value: Value, at: string, found: { path: string; value: Value }[]): void {
  if (at !== '') found.push({ path: at, value });
  if (Array.isArray(value)) value.forEach((item, index) => pointers(item, `${at}/${index}`, found));
  else if (isMap(value))
    for (const [key, item] of Object.entries(value))
      pointers(item, `${at}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, found);
}

export function makeJsonPatch(random: Random, object: Obj): Value[] {
  const found: { path: string; value: Value }[] = [];
  pointers(object, '', found);
  const safe = found.filter(
    ({ path }) => !/^\/(?:apiVersion|kind|metadata(?:\/name|\/namespace|\/annotations)?)$/u.test(path),
  );
  if (safe.length === 0) return [{ op: 'add', path: '/metadata/annotations', value: { a: 'b' } }];
  return Array.from({ length: 1 + random.below(2) }, () => {
    const { path, value } = random.pick(safe);
    const op = random.pick(['add', 'replace', 'replace', 'remove', 'test', 'copy', 'move', 'append', 'new']);
    const to = random.pick<Value>(['patched', 5, true, { a: 1 }, ['x'], 1234567, null]);
    if (op === 'append')
      return { op: 'add', path: Array.isArray(value) ? `${path}/${random.pick(['-', '0', '-1'])}` : path, value: to };
    if (op === 'new') return { op: 'add', path: isMap(value) ? `${path}/brand~1new` : path, value: to };
    if (op === 'remove') return { op, path };
    if (op === 'test') return { op, path, value };
    if (op === 'copy' || op === 'move')
      return { op, from: path, path: random.pick(['/copied', '/metadata/annotations']) };
    return { op, path, value: to };
  });
}
