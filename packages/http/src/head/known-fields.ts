/** Owns what a server makes of the fields of a request: their names in lower case, and how repeated ones are put together. */
import { ownCopy } from '../message/field-names.ts';
import { isFieldName } from '../message/field-syntax.ts';

export type FieldRole =
  /** Repeated values are joined with commas (RFC 9110 section 5.3). */
  | 'list'
  /** Of several only the first counts, as node:http has it. */
  | 'first'
  /** Repeated values are joined with semicolons (RFC 6265 section 5.4). */
  | 'cookie'
  | 'set-cookie'
  /** Given twice it has two readings: refused. */
  | 'once'
  | 'connection'
  | 'upgrade'
  | 'expect';

export interface KnownField {
  /** Lower-case. */
  readonly name: string;
  readonly role: FieldRole;
}

/** Undefined when it is no name (RFC 9110 section 5.1). */
export type KnownFields = (rawName: string) => KnownField | undefined;

const ROLES: ReadonlyMap<string, FieldRole> = new Map([
  ['cookie', 'cookie'],
  ['set-cookie', 'set-cookie'],
  ['connection', 'connection'],
  ['upgrade', 'upgrade'],
  ['expect', 'expect'],
  ...['host', 'content-length', 'transfer-encoding', 'authorization'].map((name) => [name, 'once'] as const),
  ...[
    'age',
    'content-type',
    'etag',
    'expires',
    'from',
    'if-modified-since',
    'if-unmodified-since',
    'last-modified',
    'location',
    'max-forwards',
    'proxy-authorization',
    'referer',
    'retry-after',
    'server',
    'user-agent',
  ].map((name) => [name, 'first'] as const),
]);

/** Peers choose names: the memory of them is bounded. */
const MAX_REMEMBERED = 4_096;

export function createKnownFields(): KnownFields {
  const remembered = new Map<string, KnownField>();
  return (rawName) => {
    const known = remembered.get(rawName);
    if (known !== undefined) return known;
    if (!isFieldName(rawName)) return undefined;
    if (remembered.size >= MAX_REMEMBERED) remembered.clear();
    const name = ownCopy(rawName.toLowerCase());
    const field = { name, role: ROLES.get(name) ?? 'list' };
    remembered.set(ownCopy(rawName), field);
    return field;
  };
}
