/** Owns protocol buffers by table: a message is a list of fields, and both directions follow from it. */
import { readFields, writeBytes, writeNumber } from '@kfctl/core';
import type { Fields } from '@kfctl/core';

export type FieldKind = 'string' | 'maybeString' | 'strings' | 'bytes' | 'bool' | 'int';

/** `[number, kind]`; 'maybeString' tells an empty one from none; a message as kind is a message, one in a list is repeated. */
export type Field = readonly [number, FieldKind | Message | readonly [Message]];

export interface Message {
  readonly [name: string]: Field;
}

type ValueOf<K> = K extends 'string'
  ? string
  : K extends 'maybeString'
    ? string | undefined
    : K extends 'strings'
      ? readonly string[]
      : K extends 'bytes'
        ? Buffer
        : K extends 'bool'
          ? boolean
          : K extends 'int'
            ? number
            : K extends readonly [infer M extends Message]
              ? readonly MessageValue<M>[]
              : K extends Message
                ? MessageValue<K> | undefined
                : never;

export type MessageValue<M extends Message> = { readonly [N in keyof M]: ValueOf<M[N][1]> };

/** The value, with proto3's empty values for what is absent; undefined for bytes that are no such message. */
export function decodeMessage<M extends Message>(message: M, bytes: Buffer): MessageValue<M> | undefined {
  const fields = readFields(bytes);
  if (fields === undefined) return undefined;
  const value: Record<string, unknown> = {};
  for (const [name, [number, kind]] of Object.entries(message)) {
    const read = readField(fields, number, kind);
    if (read === BROKEN) return undefined;
    value[name] = read;
  }
  return value as MessageValue<M>;
}

const BROKEN = Symbol('no such message');

function readField(fields: Fields, number: number, kind: Field[1]): unknown {
  const given = fields.get(number) ?? [];
  const bytes = given.filter((one) => Buffer.isBuffer(one));
  const last = given.at(-1);
  if (kind === 'bool') return typeof last === 'number' && last !== 0;
  if (kind === 'int') return typeof last === 'number' ? last : 0;
  if (kind === 'string') return bytes.at(-1)?.toString('utf8') ?? '';
  if (kind === 'maybeString') return bytes.at(-1)?.toString('utf8');
  if (kind === 'bytes') return bytes.at(-1) ?? Buffer.alloc(0);
  if (kind === 'strings') return bytes.map((one) => one.toString('utf8'));
  if (isRepeated(kind)) {
    const values = bytes.map((one) => decodeMessage(kind[0], one));
    return values.includes(undefined) ? BROKEN : values;
  }
  const one = bytes.at(-1);
  return one === undefined ? undefined : (decodeMessage(kind, one) ?? BROKEN);
}

export function encodeMessage<M extends Message>(message: M, value: MessageValue<M>): Buffer {
  const parts = Object.entries(message).flatMap(([name, [number, kind]]) => writeField(number, kind, value[name]));
  return Buffer.concat(parts);
}

function writeField(number: number, kind: Field[1], value: unknown): readonly Buffer[] {
  if (kind === 'maybeString') return value === undefined ? [] : [writeBytes(number, String(value))];
  if (value === undefined || value === '' || value === 0 || value === false) return [];
  if (kind === 'bool' || kind === 'int') return [writeNumber(number, Number(value))];
  if (kind === 'string') return [writeBytes(number, String(value))];
  if (kind === 'bytes') return [writeBytes(number, value as Buffer)];
  if (kind === 'strings') return (value as readonly string[]).map((one) => writeBytes(number, one));
  if (isRepeated(kind)) {
    const values = value as readonly MessageValue<Message>[];
    return values.map((one) => writeBytes(number, encodeMessage(kind[0], one)));
  }
  return [writeBytes(number, encodeMessage(kind, value as MessageValue<Message>))];
}

function isRepeated(kind: Message | readonly [Message]): kind is readonly [Message] {
  return Array.isArray(kind);
}
