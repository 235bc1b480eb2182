/** Owns reading of an HTTP/1 response head, strictly: what two parsers could read differently is refused (RFC 9112). */
import { isFieldValue, splitFieldLines } from '@kfctl/http';
import type { FieldNames } from '@kfctl/http';
import type { UpstreamHead } from './upstream.ts';
import { HOP_BY_HOP } from './hop-by-hop.ts';

export interface ResponseHead extends UpstreamHead {
  readonly framing: 'none' | 'length' | 'chunked' | 'until-close';
  readonly keepAlive: boolean;
  /** `Keep-Alive: timeout=…` in milliseconds. */
  readonly keepAliveMs: number | undefined;
}

const MAX_FIELDS = 200;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/;

/** The head in `text` (without its empty line), or why it is not one. */
export function parseResponseHead(text: string, requestMethod: string, names: FieldNames): ResponseHead | string {
  const lineEnd = text.indexOf('\r\n');
  const status = STATUS_LINE.exec(lineEnd < 0 ? text : text.slice(0, lineEnd));
  if (status === null) return 'status line';
  const raw = lineEnd < 0 ? [] : splitFieldLines(text, lineEnd + 2, MAX_FIELDS);
  if (raw === undefined) return 'header line';
  if (raw.length > MAX_FIELDS * 2) return 'too many headers';
  const special = new SpecialFields(status[1] === '1');
  const fields: string[] = [];
  for (let index = 0; index < raw.length; index += 2) {
    const name = names(raw[index] ?? '');
    const value = raw[index + 1] ?? '';
    if (name === undefined) return 'header name';
    if (!isFieldValue(value)) return 'header value';
    noteSpecial(name, value, special);
    if (!HOP_BY_HOP.has(name)) fields.push(name, value);
  }
  return finish({ status: Number(status[2]), fields, special, requestMethod });
}

class SpecialFields {
  length: string | undefined;
  encoding: string | undefined;
  repeated = false;
  keepAlive: boolean;
  keepAliveMs: number | undefined;
  readonly isHttp11: boolean;

  constructor(isHttp11: boolean) {
    this.isHttp11 = isHttp11;
    this.keepAlive = isHttp11;
  }
}

function noteSpecial(name: string, value: string, special: SpecialFields): void {
  switch (name) {
    case 'content-length':
      special.repeated ||= special.length !== undefined;
      special.length = value;
      return;
    case 'transfer-encoding':
      special.repeated ||= special.encoding !== undefined;
      special.encoding = value;
      return;
    case 'connection': {
      const options = value
        .toLowerCase()
        .split(',')
        .map((item) => item.trim());
      if (options.includes('close')) special.keepAlive = false;
      else if (options.includes('keep-alive')) special.keepAlive = true;
      return;
    }
    case 'keep-alive': {
      const seconds = /timeout=(\d{1,6})/i.exec(value)?.[1];
      if (seconds !== undefined) special.keepAliveMs = Number(seconds) * 1000;
      return;
    }
    default:
  }
}

interface Parts {
  readonly status: number;
  readonly fields: string[];
  readonly special: SpecialFields;
  readonly requestMethod: string;
}

/** RFC 9112 section 6.3: where the body ends. */
function finish({ status, fields, special, requestMethod }: Parts): ResponseHead | string {
  const { length, encoding, repeated, keepAlive, keepAliveMs, isHttp11 } = special;
  if (repeated || (length !== undefined && encoding !== undefined)) return 'conflicting length';
  if (length !== undefined && !/^\d{1,15}$/.test(length)) return 'content-length';
  if (encoding !== undefined && (encoding.toLowerCase() !== 'chunked' || !isHttp11)) return 'transfer-encoding';
  const base = { status, fields, keepAlive, keepAliveMs };
  const size = length === undefined ? undefined : Number(length);
  if (status < 200 || status === 204 || status === 304 || requestMethod === 'HEAD') {
    return { ...base, framing: 'none', length: size, hasBody: false };
  }
  if (encoding !== undefined) return { ...base, framing: 'chunked', length: undefined, hasBody: true };
  if (size === undefined)
    return { ...base, framing: 'until-close', length: undefined, hasBody: true, keepAlive: false };
  return { ...base, framing: size === 0 ? 'none' : 'length', length: size, hasBody: size > 0 };
}
