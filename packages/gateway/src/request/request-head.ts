/** Owns the check of a request's head: what is ambiguous is refused before anything else looks at it (RFC 9112, RFC 9113 section 8). */
import { HEAD_LIMITS, isFieldValue, NO_BODY, parseFraming, removeField } from '@kfctl/http';
import type { AcceptedHead, RawHead } from '@kfctl/http';
import type { FieldAction, FieldRules } from './field-rules.ts';
import { normalizeTarget } from './normalize-path.ts';
import type { EscapedSlashes } from './normalize-path.ts';

export interface RequestHead extends AcceptedHead {
  readonly method: string;
  readonly path: string;
  /** With its mark; loses a token that stays at the gateway. */
  query: string;
  /** Host and port as sent, lower-case. */
  readonly authority: string;
  /** Without port and trailing dot. */
  readonly host: string;
  /** Flat, lower-case names: what may be forwarded. */
  readonly fields: string[];
  /** What the client claims about earlier hops; believed only behind trusted proxies. */
  readonly claimedFor: string | undefined;
  readonly claimedProto: string | undefined;
}

/** `detail` is for the operator's log. */
export interface Refusal {
  readonly status: 400 | 405 | 417 | 431 | 501;
  readonly detail: string;
}

export interface HeadRules {
  readonly fields: FieldRules;
  readonly escapedSlashes: EscapedSlashes;
}

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
  const authority = parseAuthority(absolute?.authority ?? raw.authority, collected, raw.protocol);
  if (authority === undefined) return { status: 400, detail: 'host' };
  const body = webSocketStream ? NO_BODY : parseFraming(raw, collected);
  if (body.kind === 'bad') return { status: 400, detail: body.field };
  const upgrade = webSocketStream || wantsWebSocket(raw, collected);
  if (upgrade && body.kind !== 'none') return { status: 400, detail: 'websocket with body' };
  if (collected.expect !== undefined && collected.expect.toLowerCase() !== '100-continue')
    return { status: 417, detail: 'expect' };
  return {
    method,
    path: target.path,
    query: target.query,
    authority,
    host: hostOf(authority),
    fields: collected.fields,
    body,
    webSocket: upgrade,
    expectsContinue: collected.expect !== undefined && body.kind !== 'none' && raw.protocol !== 'HTTP/1.0',
    keepAlive: raw.protocol !== 'HTTP/1.0' && !collected.connection.includes('close'),
    claimedFor: collected.claimedFor,
    claimedProto: collected.claimedProto,
  };
}

interface Collected {
  readonly fields: string[];
  host: string | undefined;
  length: string | undefined;
  encoding: string | undefined;
  upgrade: string | undefined;
  cookie: string | undefined;
  expect: string | undefined;
  claimedFor: string | undefined;
  claimedProto: string | undefined;
  /** Connection options, lower-case. */
  connection: readonly string[];
  authorizations: number;
  /** A header that must come once at most and came again. */
  repeated: 'host' | 'content-length' | 'transfer-encoding' | undefined;
}

const NO_OPTIONS: readonly string[] = [];

function collectFields({ rawFields }: RawHead, rules: FieldRules): Collected | Refusal {
  if (rawFields.length > HEAD_LIMITS.maxFields * 2) return { status: 431, detail: 'too many headers' };
  const into: Collected = {
    fields: [],
    host: undefined,
    length: undefined,
    encoding: undefined,
    upgrade: undefined,
    cookie: undefined,
    expect: undefined,
    claimedFor: undefined,
    claimedProto: undefined,
    connection: NO_OPTIONS,
    authorizations: 0,
    repeated: undefined,
  };
  let size = 0;
  for (let index = 0; index < rawFields.length; index += 2) {
    const value = rawFields[index + 1] ?? '';
    size += value.length;
    if (!isFieldValue(value)) return { status: 400, detail: 'header value' };
    const { name, action } = rules.of(rawFields[index] ?? '');
    if (action === 'refuse') return { status: 400, detail: 'header name' };
    if (action === 'forward') keepOrdinary(into, name, value);
    else if (action !== 'drop') keepSpecial(into, { name, action, value });
  }
  if (into.repeated !== undefined) return { status: 400, detail: into.repeated };
  if (size > MAX_FIELD_BYTES) return { status: 431, detail: 'headers too large' };
  for (const nominated of into.connection) if (!ORDINARY.has(nominated)) removeField(into.fields, nominated);
  if (into.cookie !== undefined) into.fields.push('cookie', into.cookie);
  // One checker reads the first, the next the last.
  if (into.authorizations > 1) return { status: 400, detail: 'authorization' };
  return into;
}

function keepOrdinary(into: Collected, name: string, value: string): void {
  if (name === 'authorization') into.authorizations += 1;
  into.fields.push(name, value);
}

/** Connection options that name no header. */
const ORDINARY = new Set(['keep-alive', 'close', 'upgrade', 'te', '']);

interface SpecialField {
  readonly name: string;
  readonly action: FieldAction;
  readonly value: string;
}

function keepSpecial(into: Collected, { name, action, value }: SpecialField): void {
  switch (action) {
    case 'host':
      if (into.host !== undefined) into.repeated ??= action;
      into.host = value;
      return;
    case 'content-length':
      if (into.length !== undefined) into.repeated ??= action;
      into.length = value;
      return;
    case 'transfer-encoding':
      if (into.encoding !== undefined) into.repeated ??= action;
      into.encoding = value;
      return;
    case 'upgrade':
      into.upgrade = joined(into.upgrade, ',', value);
      return;
    default:
      keepListed(into, { name, action, value });
  }
}

/** Headers that may come several times. */
function keepListed(into: Collected, { name, action, value }: SpecialField): void {
  switch (action) {
    case 'connection':
      into.connection = [
        ...into.connection,
        ...value
          .toLowerCase()
          .split(',')
          .map((item) => item.trim()),
      ];
      return;
    case 'te':
      // Only this value survives a hop (RFC 9110 section 10.1.4); gRPC needs it.
      if (value.trim().toLowerCase() === 'trailers') into.fields.push('te', 'trailers');
      return;
    case 'expect':
      into.expect = joined(into.expect, ',', value);
      return;
    case 'cookie':
      // HTTP/2 clients may split it (RFC 9113 section 8.2.3).
      into.cookie = joined(into.cookie, '; ', value);
      return;
    default:
      if (name === 'x-forwarded-for') into.claimedFor = joined(into.claimedFor, ',', value);
      else into.claimedProto = joined(into.claimedProto, ',', value);
  }
}

function joined(before: string | undefined, separator: string, value: string): string {
  return before === undefined ? value : `${before}${separator}${value}`;
}

/** RFC 9112 section 3.2.2: a server takes the absolute form too; its authority goes before Host. */
function splitAbsolute(raw: RawHead): { readonly authority: string; readonly target: string } | undefined {
  if (raw.protocol === 'HTTP/2' || raw.target.startsWith('/')) return undefined;
  const parts = /^https?:\/\/([^/?#@]+)(\/[^#]*)?$/i.exec(raw.target);
  return parts?.[1] === undefined ? undefined : { authority: parts[1], target: parts[2] ?? '/' };
}

function parseAuthority(named: string | undefined, collected: Collected, protocol: string): string | undefined {
  const host = collected.host?.toLowerCase();
  const authority = named?.toLowerCase() ?? host ?? (protocol === 'HTTP/1.0' ? 'localhost' : '');
  // RFC 9113 section 8.3.1: two names for one request must be the same name.
  if (protocol === 'HTTP/2' && host !== undefined && host !== authority) return undefined;
  return authority.length <= 255 + 6 && AUTHORITY.test(authority) ? authority : undefined;
}

/** The authority without port and trailing dot. */
function hostOf(authority: string): string {
  const host = authority.includes(':') ? authority.replace(/:\d+$/, '') : authority;
  return host.endsWith('.') ? host.slice(0, -1) : host;
}

/** RFC 6455 section 4.2.1; any other upgrade is ignored, as RFC 9110 section 7.8 allows. */
function wantsWebSocket(raw: RawHead, { connection, upgrade }: Collected): boolean {
  if (upgrade === undefined || raw.protocol !== 'HTTP/1.1' || raw.method !== 'GET') return false;
  return upgrade.trim().toLowerCase() === 'websocket' && connection.includes('upgrade');
}
