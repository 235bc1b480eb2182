/** Owns one field of a header block, and what it may be (RFC 9113 sections 8.2 and 8.3). */

/**
 * `pseudo`: a name that requests have. `length`: content-length. `trailing`: a field that says something about the message's form, which
 * trailers must not. `malformed`: in no message.
 */
export type FieldKind = 'ordinary' | 'pseudo' | 'cookie' | 'length' | 'trailing' | 'malformed';

export interface HeaderField {
  readonly name: string;
  readonly value: string;
  /** As RFC 7541 section 4.1 counts. */
  readonly size: number;
  readonly kind: FieldKind;
}

const OVERHEAD = 32;
const PSEUDO = new Set([':method', ':scheme', ':path', ':authority', ':protocol']);
/** RFC 9113 section 8.2.2. */
const OF_CONNECTION = new Set(['connection', 'proxy-connection', 'keep-alive', 'transfer-encoding', 'upgrade']);
const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
/** RFC 9110 section 5.5; no blanks at the ends (RFC 9113 section 8.2.1). */
const VALUE = /^(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?$/;

/** Judged once, however often an index names the field. */
export function createHeaderField(name: string, value: string): HeaderField {
  return { name, value, size: name.length + value.length + OVERHEAD, kind: judge(name, value) };
}

function judge(name: string, value: string): FieldKind {
  if (!VALUE.test(value)) return 'malformed';
  if (PSEUDO.has(name)) return 'pseudo';
  if (!NAME.test(name) || OF_CONNECTION.has(name)) return 'malformed';
  switch (name) {
    case 'cookie':
      return 'cookie';
    case 'content-length':
      return 'length';
    case 'te':
      return value === 'trailers' ? 'trailing' : 'malformed';
    case 'host':
    case 'trailer':
      return 'trailing';
    default:
      return 'ordinary';
  }
}
