/** Owns the `sub` of tokens: Dex's encoding of (user id, connector id), so that an existing installation's subjects stay the same. */

export interface Subject {
  readonly userId: string;
  readonly connectorId: string;
}

const USER_ID_TAG = 0x0a;
const CONNECTOR_ID_TAG = 0x12;

/** Unpadded base64url of a two-field protocol buffer: field 1 the user id, field 2 the connector id, empty ones left out. */
export function encodeSubject({ userId, connectorId }: Subject): string {
  return Buffer.from(field(USER_ID_TAG, userId) + field(CONNECTOR_ID_TAG, connectorId), 'latin1').toString('base64url');
}

/** The parts of a subject, or undefined when it was not made by `encodeSubject`. */
export function decodeSubject(subject: string): Subject | undefined {
  const bytes = Buffer.from(subject, 'base64url');
  if (bytes.toString('base64url') !== subject) return undefined;
  let [userId, connectorId] = ['', ''];
  let offset = 0;
  while (offset < bytes.length) {
    const tag = bytes[offset] ?? 0;
    const length = readVarint(bytes, offset + 1);
    if ((tag !== USER_ID_TAG && tag !== CONNECTOR_ID_TAG) || length === undefined) return undefined;
    const end = length.next + length.value;
    if (end > bytes.length) return undefined;
    const text = bytes.toString('utf8', length.next, end);
    if (tag === USER_ID_TAG) userId = text;
    else connectorId = text;
    offset = end;
  }
  return { userId, connectorId };
}

/** The field's bytes as a string of as many characters. */
function field(tag: number, text: string): string {
  if (text === '') return '';
  const bytes = Buffer.byteLength(text, 'utf8');
  const content = bytes === text.length ? text : Buffer.from(text, 'utf8').toString('latin1');
  return String.fromCharCode(tag) + varint(bytes) + content;
}

function varint(value: number): string {
  if (value < 0x80) return String.fromCharCode(value);
  return String.fromCharCode((value & 0x7f) | 0x80) + varint(value >>> 7);
}

function readVarint(bytes: Buffer, start: number): { readonly value: number; readonly next: number } | undefined {
  let value = 0;
  for (let index = 0; index < 4; index += 1) {
    const byte = bytes[start + index];
    if (byte === undefined) return undefined;
    value |= (byte & 0x7f) << (7 * index);
    if (byte < 0x80) return { value, next: start + index + 1 };
  }
  return undefined;
}
