/** Owns header fields on HTTP/2 streams: what goes out, and what of an answer is taken (RFC 9113 section 8.2). */
import { isFieldName, isFieldValue } from '@kfctl/http';
import type { FieldList } from '@kfctl/http';
import type { UpstreamHead, UpstreamRequest } from '../upstream.ts';
import { HOP_BY_HOP } from '../hop-by-hop.ts';

const MAX_FIELDS = 200;

/** The head of a request, pseudo fields first. */
export function requestFields({ method, target, authority, fields, body }: UpstreamRequest): string[] {
  const head = [':method', method, ':path', target, ':authority', authority, ...fields];
  if (body.kind === 'length') head.push('content-length', String(body.bytes));
  return head;
}

/** The head in flat names and values, or why it is not one. */
export function readResponseHead(raw: readonly string[], isEnd: boolean): UpstreamHead | string {
  if (raw.length > MAX_FIELDS * 2) return 'too many headers';
  let status = 0;
  let length: number | undefined;
  const fields: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = raw[index] ?? '';
    const value = raw[index + 1] ?? '';
    if (name === ':status') status = Number(value);
    else if (!isFieldName(name) || !isFieldValue(value)) return 'header field';
    else if (!HOP_BY_HOP.has(name)) fields.push(name, value);
    if (name === 'content-length') length = Number(value);
  }
  if (!Number.isInteger(status) || status < 200 || status > 599) return 'status';
  const hasNoBody = isEnd || status === 204 || status === 304;
  return { status, fields, length, hasBody: !hasNoBody };
}

/** Trailer fields; what is no field is left out, since the answer before it is already on its way. */
export function readTrailers(raw: readonly string[]): string[] {
  const fields: string[] = [];
  for (let index = 0; index < Math.min(raw.length, MAX_FIELDS * 2); index += 2) {
    const name = raw[index] ?? '';
    const value = raw[index + 1] ?? '';
    const isUsable = isFieldName(name) && isFieldValue(value) && !HOP_BY_HOP.has(name) && name !== 'content-length';
    if (isUsable) fields.push(name, value);
  }
  return fields;
}

/** As `sendTrailers` takes them. */
export function groupFields(fields: FieldList): Record<string, string[]> {
  const result: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (let index = 0; index < fields.length; index += 2) {
    (result[fields[index] ?? ''] ??= []).push(fields[index + 1] ?? '');
  }
  return result;
}
