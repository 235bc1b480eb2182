/**
 * Owns the writing of header blocks (RFC 7541), without a dynamic table: what answers say again and again is kept as it is sent, for all
 * connections at once, and no client can make the process remember anything for it alone.
 */
import { isFieldName } from '../../message/field-syntax.ts';
import { ownCopy } from '../../message/field-names.ts';
import { encodeHuffman } from './huffman.ts';
import { STATIC_NAMES, STATIC_TABLE } from './static-table.ts';

interface NameCode {
  /** The field up to its value; undefined: no field that may be sent. */
  readonly prefix: Buffer | undefined;
  /** Whole fields by value; undefined where values do not come again, or are secrets. */
  readonly values: Map<string, Buffer> | undefined;
}

export const NO_ROOM = -1;
/** RFC 9113 section 8.2.2. */
const OF_CONNECTION = new Set(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade']);
/** RFC 7541 section 7.1.3: nobody on the way may put them into a table. */
const SECRET = new Set(['set-cookie', 'authorization', 'www-authenticate', 'proxy-authenticate', 'location']);
const ALWAYS_NEW = new Set(['etag', 'last-modified', 'x-request-id', 'traceparent', 'content-range']);
const MAX_NAMES = 1_024;
const MAX_VALUES = 64;
const MAX_VALUE_LENGTH = 64;
/** Longer ones are copied by the runtime. */
const SHORT = 48;
/** Of a length in front of a text. */
const MAX_LENGTH_BYTES = 6;
const NOTHING: NameCode = { prefix: undefined, values: undefined };

export class HpackEncoder {
  readonly #names = new Map<string, NameCode>();

  /** Writes flat names and values from `at` on; gives where they end, or `NO_ROOM`. What may not be sent is left out. */
  write(fields: readonly string[], bytes: Buffer, at: number): number {
    let end = at;
    for (let index = 0; index < fields.length && end !== NO_ROOM; index += 2) {
      const name = fields[index] ?? '';
      const code = this.#names.get(name) ?? this.#learn(name);
      if (code.prefix !== undefined) end = writeField(code, fields[index + 1] ?? '', { bytes, at: end });
    }
    return end;
  }

  #learn(rawName: string): NameCode {
    if (this.#names.size >= MAX_NAMES) this.#names.clear();
    const name = rawName.toLowerCase();
    const code = name === ':status' || (isFieldName(name) && !OF_CONNECTION.has(name)) ? codeOf(name) : NOTHING;
    this.#names.set(ownCopy(rawName), code);
    return code;
  }
}

function codeOf(name: string): NameCode {
  const isSecret = SECRET.has(name);
  // RFC 7541 section 6.2.2 and 6.2.3: never to be indexed, or not now.
  const kind = isSecret ? 0x10 : 0x00;
  const index = STATIC_NAMES.get(name);
  const prefix =
    index === undefined
      ? Buffer.concat([Buffer.from([kind]), textOf(name)])
      : Buffer.from(index < 15 ? [kind | index] : [kind | 15, index - 15]);
  return { prefix, values: isSecret || ALWAYS_NEW.has(name) ? undefined : wholeFields(name) };
}

/** RFC 7541 section 6.1: those of the static table have one byte. */
function wholeFields(name: string): Map<string, Buffer> {
  const values = new Map<string, Buffer>();
  for (const [index, [known, value]] of STATIC_TABLE.entries()) {
    if (known === name && value !== '') values.set(value, Buffer.from([0x80 | (index + 1)]));
  }
  return values;
}

interface Place {
  readonly bytes: Buffer;
  readonly at: number;
}

function writeField({ prefix, values }: NameCode, value: string, { bytes, at }: Place): number {
  if (prefix === undefined) return at;
  const whole =
    values?.get(value) ?? (value.length <= MAX_VALUE_LENGTH ? learnValue(prefix, values, value) : undefined);
  if (whole !== undefined) return copy(whole, bytes, at);
  if (at + prefix.length + MAX_LENGTH_BYTES + value.length > bytes.length) return NO_ROOM;
  const start = writeLength(bytes, copy(prefix, bytes, at), value.length);
  return start + bytes.write(value, start, 'latin1');
}

function learnValue(prefix: Buffer, values: Map<string, Buffer> | undefined, value: string): Buffer | undefined {
  if (values === undefined) return undefined;
  const whole = Buffer.concat([prefix, textOf(value)]);
  if (values.size >= MAX_VALUES) values.clear();
  values.set(ownCopy(value), whole);
  return whole;
}

function copy(from: Buffer, to: Buffer, at: number): number {
  const { length } = from;
  if (at + length > to.length) return NO_ROOM;
  if (length > SHORT) to.set(from, at);
  else for (let index = 0; index < length; index += 1) to[at + index] = from[index] ?? 0;
  return at + length;
}

function textOf(text: string): Buffer {
  const coded = encodeHuffman(text);
  const isShorter = coded.length < text.length;
  const bytes = isShorter ? coded : Buffer.from(text, 'latin1');
  const head = Buffer.alloc(MAX_LENGTH_BYTES);
  const length = writeLength(head, 0, bytes.length);
  if (isShorter) head[0] = (head[0] ?? 0) | 0x80;
  return Buffer.concat([head.subarray(0, length), bytes]);
}

/** RFC 7541 section 5.1, with a prefix of seven bits. */
function writeLength(bytes: Buffer, at: number, length: number): number {
  if (length < 127) {
    bytes[at] = length;
    return at + 1;
  }
  bytes[at] = 127;
  let [rest, end] = [length - 127, at + 1];
  while (rest >= 128) {
    bytes[end++] = (rest & 127) | 128;
    rest >>>= 7;
  }
  bytes[end++] = rest;
  return end;
}
