/**
 * Owns reading of objects that clients send as `application/vnd.kubernetes.protobuf` (kubectl's create commands do). Answers are
 * always JSON. The reader is bounded by its input: it never allocates by a length it was told.
 */
import table from './protobuf-messages.json' with { type: 'json' };
import type { JsonObject } from './json.ts';

const MAGIC = Buffer.from([0x6b, 0x38, 0x73, 0x00]);
const MAX_DEPTH = 64;
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Zero is what Go sends for a number that nobody set, except where absence would mean something else. */
const ZERO_COUNTS = new Set([
  'replicas', 'parallelism', 'completions', 'backoffLimit', 'terminationGracePeriodSeconds', 'gracePeriodSeconds', 'activeDeadlineSeconds',
  'value', 'successfulJobsHistoryLimit', 'failedJobsHistoryLimit', 'revisionHistoryLimit', 'partition', 'ttlSecondsAfterFinished', 'minReplicas',
]); // oxfmt-ignore

/** The same for `false`: these say more than their absence. */
const FALSE_FLAGS = new Set([
  'automountServiceAccountToken', 'enableServiceLinks', 'immutable', 'suspend', 'controller', 'blockOwnerDeletion', 'privileged',
  'allowPrivilegeEscalation', 'readOnlyRootFilesystem', 'runAsNonRoot', 'optional', 'shareProcessNamespace', 'allowVolumeExpansion',
  'allocateLoadBalancerNodePorts', 'orphanDependents',
]); // oxfmt-ignore

interface Field {
  readonly name: string;
  readonly type: string;
  readonly shape: 'one' | 'list' | 'map' | 'inline';
}

/** Thrown for bytes that are no such message. */
export class ProtobufError extends Error {}

/** The object in an envelope (`k8s\0` + runtime.Unknown). */
export function parseProtobufObject(bytes: Buffer): JsonObject {
  if (!bytes.subarray(0, 4).equals(MAGIC))
    throw new ProtobufError('the body does not start with the Kubernetes protobuf prefix');
  let typeMeta: JsonObject = {};
  let raw: Buffer = Buffer.alloc(0);
  for (const { number, value } of entries(bytes.subarray(4))) {
    if (number === 1) typeMeta = readTypeMeta(requireBytes(value));
    if (number === 2) raw = requireBytes(value);
  }
  const apiVersion = String(typeMeta['apiVersion'] ?? '');
  const kind = String(typeMeta['kind'] ?? '');
  const mark = apiVersion.indexOf('/');
  const group = mark < 0 ? '' : apiVersion.slice(0, mark);
  const kinds = table.kinds as Readonly<Record<string, string>>;
  const message = kinds[`${group}/${kind}`] ?? kinds[`meta/${kind}`];
  if (message === undefined)
    throw new ProtobufError(`no protobuf form of ${kind} in ${apiVersion} is known; send JSON`);
  return { apiVersion, kind, ...readMessage(message, raw, 0) };
}

function readTypeMeta(bytes: Buffer): JsonObject {
  const result: JsonObject = {};
  for (const { number, value } of entries(bytes)) {
    if (number === 1) result['apiVersion'] = requireBytes(value).toString('utf8');
    if (number === 2) result['kind'] = requireBytes(value).toString('utf8');
  }
  return result;
}

const parsedMessages = new Map<string, ReadonlyMap<number, Field>>();

function fieldsOf(message: string): ReadonlyMap<number, Field> | undefined {
  const known = parsedMessages.get(message);
  if (known !== undefined) return known;
  const text = (table.messages as Readonly<Record<string, string>>)[message];
  if (text === undefined) return undefined;
  const fields = new Map(text.split(' ').filter(Boolean).map(parseField));
  parsedMessages.set(message, fields);
  return fields;
}

function parseField(text: string): [number, Field] {
  const [number = '', name = '', coded = ''] = text.split(':');
  const shape = coded.startsWith('[]')
    ? 'list'
    : coded.startsWith('{}')
      ? 'map'
      : coded.startsWith('~')
        ? 'inline'
        : 'one';
  return [Number(number), { name, shape, type: coded.replace(/^(?:\[\]|\{\}|~)/, '') }];
}

/** Messages whose JSON is not an object of their fields. */
const SPECIAL: Readonly<Record<string, (bytes: Buffer) => unknown>> = {
  'api.resource.Quantity': (bytes) => textField(bytes, 1),
  'util.intstr.IntOrString': readIntOrString,
  'meta.v1.Time': readTime,
  'meta.v1.MicroTime': readTime,
  'meta.v1.FieldsV1': (bytes) => JSON.parse(textField(bytes, 1) || '{}') as unknown,
  'runtime.RawExtension': (bytes) => JSON.parse(textField(bytes, 1) || 'null') as unknown,
  'apiextensions.v1.JSON': (bytes) => JSON.parse(textField(bytes, 1) || 'null') as unknown,
  'authorization.v1.ExtraValue': readItems,
  'authentication.v1.ExtraValue': readItems,
};

function readMessage(message: string, bytes: Buffer, depth: number): JsonObject {
  if (depth > MAX_DEPTH) throw new ProtobufError('nested too deeply');
  const fields = fieldsOf(message) ?? new Map<number, Field>();
  const result: JsonObject = {};
  for (const { number, value } of entries(bytes)) {
    const field = fields.get(number);
    if (field !== undefined) addField(result, field, { value, depth });
  }
  return result;
}

interface Found {
  readonly value: Buffer | bigint;
  readonly depth: number;
}

function addField(result: JsonObject, field: Field, { value, depth }: Found): void {
  if (field.shape === 'inline') {
    Object.assign(result, readMessage(field.type, requireBytes(value), depth + 1));
    return;
  }
  if (field.shape === 'list') {
    const list = Array.isArray(result[field.name]) ? (result[field.name] as unknown[]) : [];
    list.push(readValue(field.type, value, depth));
    result[field.name] = list;
    return;
  }
  if (field.shape === 'map') {
    addMapEntry(result, field, { value, depth });
    return;
  }
  const read = readValue(field.type, value, depth);
  if (read === '' || read === undefined || (read === 0 && !ZERO_COUNTS.has(field.name))) return;
  if (read === false && !FALSE_FLAGS.has(field.name)) return;
  result[field.name] = read;
}

function addMapEntry(result: JsonObject, field: Field, { value, depth }: Found): void {
  let key = '';
  let content: unknown = field.type === 'string' || field.type === 'bytes' ? '' : {};
  for (const entry of entries(requireBytes(value))) {
    if (entry.number === 1) key = requireBytes(entry.value).toString('utf8');
    if (entry.number === 2) content = readValue(field.type, entry.value, depth);
  }
  const present = (result[field.name] ?? {}) as JsonObject;
  result[field.name] = present;
  Object.defineProperty(present, key, { value: content, enumerable: true, configurable: true, writable: true });
}

function readValue(type: string, value: Buffer | bigint, depth: number): unknown {
  switch (type) {
    case 'string':
      return requireBytes(value).toString('utf8');
    case 'bytes':
      return requireBytes(value).toString('base64');
    case 'bool':
      return requireNumber(value) !== 0n;
    case 'int32':
    case 'int64':
      return Number(BigInt.asIntN(64, requireNumber(value)));
    default: {
      const special = SPECIAL[type];
      return special === undefined ? readMessage(type, requireBytes(value), depth + 1) : special(requireBytes(value));
    }
  }
}

function textField(bytes: Buffer, wanted: number): string {
  for (const { number, value } of entries(bytes)) if (number === wanted) return requireBytes(value).toString('utf8');
  return '';
}

function readItems(bytes: Buffer): string[] {
  return [...entries(bytes)]
    .filter(({ number }) => number === 1)
    .map(({ value }) => requireBytes(value).toString('utf8'));
}

function readIntOrString(bytes: Buffer): string | number {
  const found = new Map([...entries(bytes)].map(({ number, value }) => [number, value]));
  const text = found.get(3);
  if (found.get(1) === 1n) return text === undefined ? '' : requireBytes(text).toString('utf8');
  return Number(BigInt.asIntN(64, (found.get(2) as bigint | undefined) ?? 0n));
}

function readTime(bytes: Buffer): string | undefined {
  const found = new Map([...entries(bytes)].map(({ number, value }) => [number, value]));
  const seconds = found.get(1);
  if (typeof seconds !== 'bigint') return undefined;
  const date = new Date(Number(BigInt.asIntN(64, seconds)) * 1000);
  return Number.isNaN(date.getTime()) ? undefined : `${date.toISOString().slice(0, 19)}Z`;
}

function requireBytes(value: Buffer | bigint): Buffer {
  if (typeof value !== 'bigint') return value;
  throw new ProtobufError('a number stands where bytes are expected');
}

function requireNumber(value: Buffer | bigint): bigint {
  if (typeof value === 'bigint') return value;
  throw new ProtobufError('bytes stand where a number is expected');
}

interface Entry {
  readonly number: number;
  readonly value: Buffer | bigint;
}

/** Tag and value of every field of a message. */
function* entries(bytes: Buffer): Generator<Entry> {
  let offset = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[offset++];
      if (byte === undefined) break;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw new ProtobufError('a number is cut off');
  };
  const take = (size: number): Buffer => {
    if (offset + size > bytes.length) throw new ProtobufError('the message is cut off');
    offset += size;
    return bytes.subarray(offset - size, offset);
  };
  while (offset < bytes.length) {
    const tag = Number(varint());
    const [number, wire] = [tag >>> 3, tag & 7];
    if (wire === VARINT) yield { number, value: varint() };
    else if (wire === BYTES) yield { number, value: take(Number(varint())) };
    else if (wire === FIXED64 || wire === FIXED32) yield { number, value: take(wire === FIXED64 ? 8 : 4) };
    else throw new ProtobufError(`wire type ${wire} is not used by the API`);
  }
}
