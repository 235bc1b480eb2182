/** Owns the way of an answer to its client: in one write where it is small, otherwise in pieces as the client takes them. */
import type { OutgoingHttpHeaders } from 'node:http';
import type { Http1Downstream } from '../connection/http1-downstream.ts';
import { isFieldName, isFieldValue } from '../message/field-syntax.ts';
import type { ServedRequest } from './served-request.ts';

/** Longer bodies are not copied together with their head. */
const SMALL_BYTES = 16_384;
const PIECE_BYTES = 65_536;

/** RFC 9110 section 8.6 and RFC 9112 section 9.6: said by the server itself, which knows. */
const OWN_FIELDS = new Set(['content-length', 'connection', 'keep-alive', 'transfer-encoding']);

/** Header lines as they are sent; throws for a name or a value that would end its line. */
export function renderHeaders(headers: OutgoingHttpHeaders): string {
  let text = '';
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || OWN_FIELDS.has(name)) continue;
    if (!isFieldName(name)) throw new TypeError(`${JSON.stringify(name)} is no header name`);
    if (Array.isArray(value)) for (const each of value) text += line(name, each);
    else text += line(name, String(value));
  }
  return text;
}

function line(name: string, value: string): string {
  if (!isFieldValue(value)) throw new TypeError(`the value of ${name} does not fit in a header`);
  return `${name}: ${value}\r\n`;
}

export interface RenderedAnswer {
  readonly status: number;
  /** Lines with their ends. */
  readonly fields: string;
  readonly body: string | Buffer;
}

export function sendAnswer(
  downstream: Http1Downstream,
  request: Pick<ServedRequest, 'whenDrained'>,
  { status, fields, body }: RenderedAnswer,
): void {
  const bytes = typeof body === 'string' ? oneByteEach(body) : body;
  if (typeof bytes === 'string') return downstream.answer(status, fields, bytes);
  if (bytes.length <= SMALL_BYTES || downstream.raw.method === 'HEAD' || status === 204 || status === 304)
    return downstream.answer(status, fields, bytes.toString('latin1'));
  downstream.begin(status, fields, bytes.length);
  sendFrom(bytes, 0, { downstream, request });
}

/** The text whose characters are the bytes of this one in UTF-8; the bytes themselves where there are many. */
function oneByteEach(text: string): string | Buffer {
  const length = Buffer.byteLength(text, 'utf8');
  if (length === text.length && length <= SMALL_BYTES) return text;
  return Buffer.from(text, 'utf8');
}

interface Receiver {
  readonly downstream: Http1Downstream;
  readonly request: Pick<ServedRequest, 'whenDrained'>;
}

function sendFrom(bytes: Buffer, start: number, receiver: Receiver): void {
  const { downstream, request } = receiver;
  let from = start;
  while (from < bytes.length) {
    const piece = bytes.subarray(from, from + PIECE_BYTES);
    from += piece.length;
    if (!downstream.write(piece) && from < bytes.length)
      return request.whenDrained(() => sendFrom(bytes, from, receiver));
  }
  downstream.end();
}
