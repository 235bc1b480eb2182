/** Owns the check of a request's head: what is ambiguous is refused before anything else looks at it (RFC 9112, RFC 9113 section 8). */
import { isFieldValue } from './field-syntax.ts';
import type { FieldRules } from './field-rules.ts';
import { countField, findField, removeField } from './fields.ts';
import { normalizeTarget } from './normalize-path.ts';
import type { EscapedSlashes } from './normalize-path.ts';

/** A head as a server adapter hands it over. */
export interface RawHead {
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2';
  readonly method: string;
  readonly target: string;
  /** `:authority`; undefined for HTTP/1. */
  readonly authority: string | undefined;
  /** Flat names and values as sent, without pseudo headers. */
  readonly rawFields: readonly string[];
  /** HTTP/2: the stream ended with the head. */
  readonly ended: boolean;
  /** RFC 8441 `:protocol`. */
  readonly extendedProtocol: string | undefined;
}

export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  /** Host and port as sent, lower-case. */
  readonly authority: string;
  /** Without port and trailing dot. */
  readonly host: string;
  /** Flat, lower-case names: what may be forwarded. */
  readonly fields: string[];
  readonly body: BodyFraming;
  readonly webSocket: boolean;
  readonly expectsContinue: boolean;
  /** What the client claims about earlier hops; believed only behind trusted proxies. */
  readonly claimedFor: string | undefined;
  readonly claimedProto: string | undefined;
}

export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' };

/** `detail` is for the operator's log. */
export interface Refusal {
  readonly status: 400 | 405 | 417 | 431 | 501;
  readonly detail: string;
}

export interface HeadRules {
  readonly fields: FieldRules;
  readonly escapedSlashes: EscapedSlashes;
}

export const MAX_FIELDS = 100;
const MAX_FIELD_BYTES = 65_536;
const METHOD = /^[A-Z][A-Z-]{0,31}$/;
const AUTHORITY = /^(?:[a-z0-9._~-]+|\[[0-9a-f:.]+\])(?::\d{1,5})?$/;

/** Checks a head and gives its parts, or the refusal to answer with. */
export function parseRequestHead(raw: RawHead, rules: HeadRules): RequestHead | Refusal {
  const webSocketStream = raw.method === 'CONNECT' && raw.extendedProtocol === 'websocket' && raw.protocol === 'HTTP/2';
  const method = webSocketStream ? 'GET' : raw.method;
  if (!METHOD.test(method)) return { status: 400, detail: 'method' };
  if (method === 'CONNECT' || method === 'TRACE') return { status: 405, detail: 'method' };
  const collected = collectFields(raw, rules.fields);
  if ('status' in collected) return collected;
  const absolute = splitAbsolute(raw);
  const target = normalizeTarget(absolute?.target ?? raw.target, rules.escapedSlashes);
  if (target === undefined) return { status: 400, detail: 'path' };
  const authority = parseAuthority(absolute?.authority ?? raw.authority, collected.hosts, raw.protocol);
  if (authority === undefined) return { status: 400, detail: 'host' };
  const body = webSocketStream ? NO_BODY : parseFraming(raw, collected);
  if ('status' in body) return body;
  const upgrade = webSocketStream || wantsWebSocket(raw, collected);
  if (upgrade && body.kind !== 'none') return { status: 400, detail: 'websocket with body' };
  if (collected.expect !== undefined && collected.expect.toLowerCase() !== '100-continue')
    return { status: 417, detail: 'expect' };
  return {
    method,
    ...target,
    authority,
    host: hostOf(authority),
    fields: collected.fields,
    body,
    webSocket: upgrade,
    expectsContinue: collected.expect !== undefined && body.kind !== 'none',
    claimedFor: findField(collected.claimed, 'x-forwarded-for'),
    claimedProto: findField(collected.claimed, 'x-forwarded-proto'),
  };
}

const NO_BODY: BodyFraming = { kind: 'none' };

interface Collected {
  readonly fields: string[];
  readonly hosts: string[];
  readonly lengths: string[];
  readonly encodings: string[];
  readonly connection: string[];
  readonly upgrades: string[];
  readonly claimed: string[];
  cookie: string | undefined;
  expect: string | undefined;
}

function collectFields(raw: RawHead, rules: FieldRules): Collected | Refusal {
  const { rawFields } = raw;
  if (rawFields.length > MAX_FIELDS * 2) return { status: 431, detail: 'too many headers' };
  const into: Collected = {
    fields: [],
    hosts: [],
    lengths: [],
    encodings: [],
    connection: [],
    upgrades: [],
    claimed: [],
    cookie: undefined,
    expect: undefined,
  };
  let size = 0;
  for (let index = 0; index < rawFields.length; index += 2) {
    const value = rawFields[index + 1] ?? '';
    size += value.length;
    if (!isFieldValue(value)) return { status: 400, detail: 'header value' };
    const { name, action } = rules.of(rawFields[index] ?? '');
    if (action === 'forward') into.fields.push(name, value);
    else if (action !== 'drop') keepSpecial(into, { name, action, value });
  }
  if (size > MAX_FIELD_BYTES) return { status: 431, detail: 'headers too large' };
  for (const nominated of into.connection) if (!ORDINARY.has(nominated)) removeField(into.fields, nominated);
  if (into.cookie !== undefined) into.fields.push('cookie', into.cookie);
  // One checker reads the first, the next the last.
  if (countField(into.fields, 'authorization') > 1) return { status: 400, detail: 'authorization' };
  return into;
}

/** Connection options that name no header. */
const ORDINARY = new Set(['keep-alive', 'close', 'upgrade', 'te', '']);

interface SpecialField {
  readonly name: string;
  readonly action: string;
  readonly value: string;
}

function keepSpecial(into: Collected, { name, action, value }: SpecialField): void {
  switch (action) {
    case 'host':
      return void into.hosts.push(value);
    case 'content-length':
      return void into.lengths.push(value);
    case 'transfer-encoding':
      return void into.encodings.push(value);
    case 'connection':
      return void into.connection.push(
        ...value
          .toLowerCase()
          .split(',')
          .map((item) => item.trim()),
      );
    case 'upgrade':
      return void into.upgrades.push(value);
    case 'te':
      // Only this value survives a hop (RFC 9110 section 10.1.4); gRPC needs it.
      if (value.trim().toLowerCase() === 'trailers') into.fields.push('te', 'trailers');
      return;
    case 'expect':
      into.expect = into.expect === undefined ? value : `${into.expect},${value}`;
      return;
    case 'cookie':
      // HTTP/2 clients may split it (RFC 9113 section 8.2.3).
      into.cookie = into.cookie === undefined ? value : `${into.cookie}; ${value}`;
      return;
    default:
      into.claimed.push(name, value);
  }
}

/** RFC 9112 section 3.2.2: a server takes the absolute form too; its authority goes before Host. */
function splitAbsolute(raw: RawHead): { readonly authority: string; readonly target: string } | undefined {
  if (raw.protocol === 'HTTP/2' || raw.target.startsWith('/')) return undefined;
  const parts = /^https?:\/\/([^/?#@]+)(\/[^#]*)?$/i.exec(raw.target);
  return parts?.[1] === undefined ? undefined : { authority: parts[1], target: parts[2] ?? '/' };
}

function parseAuthority(named: string | undefined, hosts: readonly string[], protocol: string): string | undefined {
  if (hosts.length > 1) return undefined;
  const host = hosts[0]?.toLowerCase();
  const authority = named?.toLowerCase() ?? host ?? (protocol === 'HTTP/1.0' ? 'localhost' : '');
  // RFC 9113 section 8.3.1: two names for one request must be the same name.
  if (protocol === 'HTTP/2' && host !== undefined && host !== authority) return undefined;
  return authority.length <= 255 + 6 && AUTHORITY.test(authority) ? authority : undefined;
}

function hostOf(authority: string): string {
  const host = authority.replace(/:\d+$/, '');
  return host.endsWith('.') ? host.slice(0, -1) : host;
}

/** RFC 9112 section 6.3, strictly: two statements about the length are one too many. */
function parseFraming(raw: RawHead, { lengths, encodings }: Collected): BodyFraming | Refusal {
  if (encodings.length > 0) {
    const isPlain = encodings.length === 1 && encodings[0]?.toLowerCase() === 'chunked';
    if (raw.protocol !== 'HTTP/1.1' || lengths.length > 0 || !isPlain)
      return { status: 400, detail: 'transfer-encoding' };
    return { kind: 'chunked' };
  }
  if (lengths.length > 1) return { status: 400, detail: 'content-length' };
  const length = lengths[0];
  if (length === undefined) return raw.protocol === 'HTTP/2' && !raw.ended ? { kind: 'chunked' } : NO_BODY;
  if (!/^\d{1,15}$/.test(length)) return { status: 400, detail: 'content-length' };
  if (raw.ended && Number(length) !== 0) return { status: 400, detail: 'content-length' };
  return { kind: 'length', bytes: Number(length) };
}

/** RFC 6455 section 4.2.1; any other upgrade is ignored, as RFC 9110 section 7.8 allows. */
function wantsWebSocket(raw: RawHead, { connection, upgrades }: Collected): boolean {
  if (raw.protocol !== 'HTTP/1.1' || raw.method !== 'GET') return false;
  return upgrades.length === 1 && upgrades[0]?.trim().toLowerCase() === 'websocket' && connection.includes('upgrade');
}
