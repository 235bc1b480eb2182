/** Owns the wire format of protocol buffers, as far as small services need it: length-delimited fields and varints. */

/** The fields of one message: number to values, in order. Texts and messages are byte ranges, numbers are numbers. */
export type Fields = ReadonlyMap<number, readonly (Buffer | number)[]>;

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

/** Undefined for bytes that are no message. */
export function readFields(bytes: Buffer): Fields | undefined {
  const fields = new Map<number, (Buffer | number)[]>();
  const cursor = { at: 0 };
  while (cursor.at < bytes.length) {
    const tag = readVarint(bytes, cursor);
    const value = tag === undefined ? undefined : readValue(bytes, cursor, tag & 7);
    if (tag === undefined || value === undefined) return undefined;
    const field = tag >>> 3;
    const values = fields.get(field);
    if (values === undefined) fields.set(field, [value]);
    else values.push(value);
  }
  return fields;
}

/** The last value of a field that is a message or a text; empty where there is none (proto3). */
export function bytesOf(fields: Fields | undefined, field: number): Buffer {
  const value = fields?.get(field)?.at(-1);
  return Buffer.isBuffer(value) ? value : Buffer.alloc(0);
}

export function textOf(fields: Fields | undefined, field: number): string {
  return bytesOf(fields, field).toString('utf8');
}

export function writeBytes(field: number, value: string | Buffer | readonly Buffer[]): Buffer {
  const bytes =
    typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.isBuffer(value) ? value : Buffer.concat(value);
  return Buffer.concat([varint((field << 3) | BYTES), varint(bytes.length), bytes]);
}

export function writeNumber(field: number, value: number): Buffer {
  return Buffer.concat([varint((field << 3) | VARINT), varint(value)]);
}

interface Cursor {
  at: number;
}

function readValue(bytes: Buffer, cursor: Cursor, wireType: number): Buffer | number | undefined {
  if (wireType === VARINT) return readVarint(bytes, cursor);
  const length =
    wireType === BYTES ? readVarint(bytes, cursor) : wireType === FIXED64 ? 8 : wireType === FIXED32 ? 4 : undefined;
  if (length === undefined || cursor.at + length > bytes.length) return undefined;
  const start = cursor.at;
  cursor.at += length;
  return bytes.subarray(start, cursor.at);
}

/** Numbers beyond 2^53 lose precision; none of those that are looked at is so large. */
function readVarint(bytes: Buffer, cursor: Cursor): number | undefined {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const byte = bytes[cursor.at];
    if (byte === undefined) return undefined;
    cursor.at += 1;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return value;
  }
  return undefined;
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  bytes.push(rest);
  return Buffer.from(bytes);
}
