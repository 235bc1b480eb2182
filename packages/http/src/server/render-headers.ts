/** Owns how the headers of an answer become lines: none of them can be two. */
import type { OutgoingHttpHeaders } from 'node:http';
import { isFieldName, isFieldValue } from '../message/field-syntax.ts';

/** RFC 9110 section 8.6 and RFC 9112 section 9.6: said by the server itself, which knows. */
const OWN_FIELDS = new Set(['content-length', 'connection', 'keep-alive', 'transfer-encoding']);

const constants = new WeakMap<OutgoingHttpHeaders, string>();

/** A copy for many answers, which is checked and rendered once; throws as `renderHeaders`. */
export function constantHeaders(headers: OutgoingHttpHeaders): Readonly<OutgoingHttpHeaders> {
  const constant = Object.freeze({ ...headers });
  constants.set(constant, renderHeaders(constant));
  return constant;
}

export function areConstant(headers: OutgoingHttpHeaders): boolean {
  return constants.has(headers);
}

/** Header lines as they are sent; throws for a name or a value that would end its line. */
export function renderHeaders(headers: OutgoingHttpHeaders): string {
  const rendered = constants.get(headers);
  if (rendered !== undefined) return rendered;
  let text = '';
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || OWN_FIELDS.has(name.toLowerCase())) continue;
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
