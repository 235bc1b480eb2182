/** Owns the types of the built-in kinds: types.json read as schemas, each type built once and on demand. */
import table from './types.json' with { type: 'json' };
import { anySchema } from './schema.ts';
import type { FieldSchema, ListType, ScalarType, Schema, StructSchema } from './schema.ts';

const SCALARS: Readonly<Record<string, ScalarType>> = {
  s: 'string',
  i: 'int32',
  l: 'int64',
  n: 'double',
  b: 'boolean',
  t: 'date-time',
  x: 'int-or-string',
  q: 'quantity',
  y: 'byte',
};

/** Types whose value has one owner only, whatever its fields are. */
const ATOMIC_TYPES = new Set([
  'V1LabelSelector', 'V1ObjectReference', 'V1LocalObjectReference', 'V1TypedLocalObjectReference', 'V1TypedObjectReference',
  'V1SecretReference', 'V1ConfigMapKeySelector', 'V1SecretKeySelector', 'V1ObjectFieldSelector', 'V1ResourceFieldSelector',
  'V1NodeSelector', 'V1NodeSelectorTerm', 'V1TopologySelectorTerm', 'V1EndpointAddress', 'V1EndpointSubset', 'CoreV1EndpointPort',
  'DiscoveryV1EndpointPort', 'V1RoleRef', 'RbacV1Subject', 'V1ScopeSelector', 'V1ScopedResourceSelectorRequirement',
  'V2CrossVersionObjectReference', 'V1IngressClassParametersReference', 'V1ServiceBackendPort',
]); // oxfmt-ignore

const ATOMIC_MAPS = new Set([
  'V1ServiceSpec.selector', 'V1PodSpec.nodeSelector', 'V1LabelSelector.matchLabels', 'V1ReplicationControllerSpec.selector',
]); // oxfmt-ignore

/** Strategic merge knows one key only; where list-map keys are several, this is the one. `retainKeys` drops unnamed siblings. */
const MERGE_KEYS: Readonly<Record<string, string>> = {
  'V1ServiceSpec.ports': 'port',
  'V1Container.ports': 'containerPort',
  'V1EphemeralContainer.ports': 'containerPort',
  'V1PodSpec.topologySpreadConstraints': 'topologyKey',
};
const RETAIN_KEYS = new Set(['V1PodSpec.volumes', 'V1DeploymentSpec.strategy', 'V1PodSpec.resourceClaims']);
const KEY_DEFAULTS: Readonly<Record<string, unknown>> = { protocol: 'TCP' };

const built = new Map<string, StructSchema>();

/** The schema of a type of types.json, e.g. `V1Pod`; throws on an unknown name. */
export function builtInType(name: string): StructSchema {
  const known = built.get(name);
  if (known !== undefined) return known;
  const row = (table as Readonly<Record<string, Readonly<Record<string, string>>>>)[name];
  if (row === undefined) throw new Error(`no type ${name} in types.json`);
  const fields = new Map<string, FieldSchema>();
  const schema: StructSchema = { kind: 'struct', name, fields, ...(ATOMIC_TYPES.has(name) ? { atomic: true } : {}) };
  built.set(name, schema);
  for (const [field, code] of Object.entries(row)) fields.set(field, lazyField(`${name}.${field}`, code));
  return schema;
}

function lazyField(place: string, code: string): FieldSchema {
  const required = code.endsWith('!');
  const plain = required ? code.slice(0, -1) : code;
  let schema: Schema | undefined;
  return {
    required,
    ...(RETAIN_KEYS.has(place) ? { retainKeys: true } : {}),
    get schema() {
      schema ??= parseCode(place, plain);
      return schema;
    },
  };
}

function parseCode(place: string, code: string): Schema {
  if (code.startsWith('{}')) {
    return { kind: 'map', element: parseCode('', code.slice(2)), ...(ATOMIC_MAPS.has(place) ? { atomic: true } : {}) };
  }
  if (code.startsWith('[')) {
    const end = code.indexOf(']');
    const list = parseListType(code.slice(1, end));
    const mergeKey = MERGE_KEYS[place] ?? (list.kind === 'map' ? list.keys[0] : undefined);
    return {
      kind: 'list',
      element: parseCode('', code.slice(end + 1)),
      list,
      ...(mergeKey === undefined ? {} : { mergeKey }),
      ...(RETAIN_KEYS.has(place) ? { retainKeys: true } : {}),
    };
  }
  if (code === 'a') return anySchema;
  const scalar = SCALARS[code];
  return scalar === undefined ? builtInType(code) : { kind: 'scalar', type: scalar };
}

function parseListType(text: string): ListType {
  if (text === '') return { kind: 'atomic' };
  if (text === 'set') return { kind: 'set' };
  const keys = text.split(',');
  const defaults = Object.fromEntries(
    keys.filter((key) => Object.hasOwn(KEY_DEFAULTS, key)).map((key) => [key, KEY_DEFAULTS[key]]),
  );
  return { kind: 'map', keys, defaults };
}

/** The name without its generator prefix: `V1Pod` -> `Pod`, `CoreV1Event` -> `Event`. */
export function shortTypeName(name: string): string {
  return name.replace(/^(?:[A-Z][a-z]+)?V\d+(?:alpha\d+|beta\d+)?/, '');
}
