/** Owns the check of a request's head by a server that answers it itself: what two servers could read differently is refused (RFC 9112). */
import type { IncomingHttpHeaders } from 'node:http';
import { isFieldValue } from '../message/field-syntax.ts';
import { parseFraming } from './framing.ts';
import { createKnownFields } from './known-fields.ts';
import type { KnownField } from './known-fields.ts';
import type { AcceptedHead, RawHead } from './raw-head.ts';

export interface ServedHead extends AcceptedHead {
  readonly method: string;
  /** In origin form, otherwise as sent; `*` of OPTIONS. */
  readonly target: string;
  /** As node:http gives them, but without a prototype. */
  readonly headers: IncomingHttpHeaders;
}

/** The status to refuse a head with. */
export type RefusedStatus = 400 | 405 | 417 | 431;

export type HeadJudge = (raw: RawHead) => ServedHead | RefusedStatus;

const METHOD = /^[A-Z][A-Z-]{0,31}$/;
/** Empty: the client knows no name for whom it asks. */
const AUTHORITY = /^(?:(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?)?$/i;
const MAX_AUTHORITY = 255 + 6;

export interface HeadJudgeOptions {
  readonly maxFields: number;
  /** Absolute targets get 400: of a server that is asked about others' requests, one could be asked for what is forwarded as another. */
  readonly refusesAbsolute?: boolean | undefined;
}

export function createHeadJudge({ maxFields, refusesAbsolute = false }: HeadJudgeOptions): HeadJudge {
  const knownFields = createKnownFields();
  return (raw) => {
    if (!METHOD.test(raw.method)) return 400;
    if (raw.method === 'CONNECT') return 405;
    const { rawFields } = raw;
    if (rawFields.length > maxFields * 2) return 431;
    const headers = new FieldBag() as Headers;
    for (let index = 0; index < rawFields.length; index += 2) {
      const field = knownFields(rawFields[index] ?? '');
      const value = rawFields[index + 1] ?? '';
      if (field === undefined || !isFieldValue(value) || !put(headers, field, value)) return 400;
    }
    if (refusesAbsolute && !raw.target.startsWith('/')) return 400;
    return judge(raw, headers);
  };
}

interface Headers extends IncomingHttpHeaders {
  [name: string]: string | string[] | undefined;
}

/** Without a prototype that knows names, as a client may choose any; at half the price of `Object.create(null)` for each. */
const FieldBag = function FieldBag() {
  // Empty.
} as unknown as new () => object;
FieldBag.prototype = Object.freeze(Object.create(null));

/** False: the field must not come again. */
function put(headers: Headers, { name, role }: KnownField, value: string): boolean {
  const before = headers[name];
  if (before === undefined) headers[name] = role === 'set-cookie' ? [value] : value;
  else if (role === 'once') return false;
  else if (typeof before === 'object') before.push(value);
  else if (role === 'cookie') headers[name] = `${before}; ${value}`;
  else if (role !== 'first') headers[name] = `${before}, ${value}`;
  return true;
}

function judge(raw: RawHead, headers: Headers): ServedHead | RefusedStatus {
  const target = originForm(raw, headers);
  if (target === undefined || !isHostGood(raw, headers)) return 400;
  const body = parseFraming(raw, { length: headers['content-length'], encoding: headers['transfer-encoding'] });
  if (body.kind === 'bad') return 400;
  const { expect, connection, upgrade } = headers;
  if (expect !== undefined && expect.toLowerCase() !== '100-continue') return 417;
  const options = connection === undefined ? NO_OPTIONS : optionsOf(connection);
  return {
    method: raw.method,
    target,
    headers,
    body,
    webSocket: upgrade !== undefined && options.has('upgrade'),
    expectsContinue: expect !== undefined && body.kind !== 'none' && raw.protocol === 'HTTP/1.1',
    keepAlive: raw.protocol === 'HTTP/1.1' && !options.has('close'),
  };
}

const NO_OPTIONS: ReadonlySet<string> = new Set();
const KEEP_ALIVE: ReadonlySet<string> = new Set(['keep-alive']);

function optionsOf(connection: string): ReadonlySet<string> {
  if (connection === 'keep-alive') return KEEP_ALIVE;
  return new Set(
    connection
      .toLowerCase()
      .split(',')
      .map((option) => option.trim()),
  );
}

/** RFC 9112 section 3.2.2: a server takes the absolute form too, and its authority goes before Host. */
function originForm({ method, target }: RawHead, headers: Headers): string | undefined {
  if (target.startsWith('/') || (target === '*' && method === 'OPTIONS')) return target;
  const parts = /^https?:\/\/([^/?#@]+)(\/[^#]*)?$/i.exec(target);
  if (parts?.[1] === undefined || headers.host === undefined) return undefined;
  headers.host = parts[1];
  return parts[2] ?? '/';
}

/** RFC 9112 section 3.2: HTTP/1.1 requests name their host; HTTP/1.0 knew none. */
function isHostGood({ protocol }: RawHead, { host }: Headers): boolean {
  if (host === undefined) return protocol === 'HTTP/1.0';
  return host.length <= MAX_AUTHORITY && AUTHORITY.test(host);
}
