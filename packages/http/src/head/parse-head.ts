/** Owns cutting an HTTP/1 request head into its parts (RFC 9112 section 3). What the parts may be is judged by the request's rules. */
import { splitFieldLines } from '../message/field-lines.ts';
import type { RawHead } from './raw-head.ts';

const REQUEST_LINE = /^([!-~]+) ([!-~\x80-\xff]+) HTTP\/1\.([01])$/;

/** The head in `text` (without its empty line); undefined when it is none. Of more fields than are allowed, one too many is given. */
export function parseHead(text: string, maxFields: number): RawHead | undefined {
  const found = text.indexOf('\r\n');
  const lineEnd = found < 0 ? text.length : found;
  const line = REQUEST_LINE.exec(text.slice(0, lineEnd));
  if (line === null) return undefined;
  const rawFields = splitFieldLines(text, lineEnd + 2, maxFields);
  if (rawFields === undefined) return undefined;
  return {
    protocol: line[3] === '0' ? 'HTTP/1.0' : 'HTTP/1.1',
    method: line[1] ?? '',
    target: line[2] ?? '',
    authority: undefined,
    rawFields,
    ended: false,
    extendedProtocol: undefined,
  };
}
