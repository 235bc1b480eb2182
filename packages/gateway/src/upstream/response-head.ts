/** Owns reading of an HTTP/1 response head, strictly: what two parsers could read differently is refused (RFC 9112). */
import type { UpstreamHead } from './upstream.ts';

export interface ResponseHead extends UpstreamHead {
  readonly framing: 'none' | 'length' | 'chunked' | 'until-close';
  readonly keepAlive: boolean;
  /** `Keep-Alive: timeout=…` in milliseconds. */
  readonly keepAliveMs: number | undefined;
}

const MAX_FIELDS = 200;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-5]\d\d)(?: .*)?$/;
/** A control character, or half a line end. */
// oxlint-disable-next-line no-control-regex
const STRAY = /[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/;
const FIELD_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const HOP_BY_HOP = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'http2-settings',
  'transfer-encoding',
  'upgrade',
  'trailer',
  'te',
]);

/** The head in `text` (without its empty line), or why it is not one. */
export function parseResponseHead(text: string, requestMethod: string): ResponseHead | string {
  if (STRAY.test(text)) return 'stray control character';
  const lines = text.split('\r\n');
  const status = STATUS_LINE.exec(lines[0] ?? '');
  if (status === null) return 'status line';
  if (lines.length - 1 > MAX_FIELDS) return 'too many headers';
  const special = new SpecialFields(status[1] === '1');
  const fields: string[] = [];
  for (let index = 1; index < lines.length; index += 1) {
    const problem = readField(lines[index] ?? '', fields, special);
    if (problem !== undefined) return problem;
  }
  return finish({ status: Number(status[2]), fields, special, requestMethod });
}

/** Fields of a trailer section; undefined when malformed. Framing fields in trailers are refused. */
export function parseTrailers(text: string): string[] | undefined {
  if (STRAY.test(text)) return undefined;
  const fields: string[] = [];
  for (const line of text === '' ? [] : text.split('\r\n')) {
    const special = new SpecialFields(true);
    if (readField(line, fields, special) !== undefined || special.seen) return undefined;
  }
  return fields;
}

class SpecialFields {
  seen = false;
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

function readField(line: string, fields: string[], special: SpecialFields): string | undefined {
  const colon = line.indexOf(':');
  const rawName = line.slice(0, Math.max(0, colon));
  // Also refuses obs-fold: a continuation line starts with a space.
  if (!FIELD_NAME.test(rawName)) return 'header name';
  const name = rawName.toLowerCase();
  const value = line.slice(colon + 1).trim();
  noteSpecial(name, value, special);
  if (!HOP_BY_HOP.has(name)) fields.push(name, value);
  return undefined;
}

function noteSpecial(name: string, value: string, special: SpecialFields): void {
  switch (name) {
    case 'content-length':
      special.seen = true;
      special.repeated ||= special.length !== undefined;
      special.length = value;
      return;
    case 'transfer-encoding':
      special.seen = true;
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
