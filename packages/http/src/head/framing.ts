/** Owns how long the body of a request is (RFC 9112 section 6.3), strictly: two statements about the length are one too many. */
import type { RawHead } from './raw-head.ts';

export type BodyFraming =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number }
  | { readonly kind: 'chunked' };

/** The field that contradicts. */
export interface BadFraming {
  readonly kind: 'bad';
  readonly field: 'content-length' | 'transfer-encoding';
}

/** The values of the fields that speak about the length, each given once. */
export interface StatedLength {
  readonly length: string | undefined;
  readonly encoding: string | undefined;
}

export const NO_BODY: BodyFraming = { kind: 'none' };
const CHUNKED: BodyFraming = { kind: 'chunked' };
const BAD_LENGTH: BadFraming = { kind: 'bad', field: 'content-length' };
const BAD_ENCODING: BadFraming = { kind: 'bad', field: 'transfer-encoding' };

export function parseFraming(raw: RawHead, { length, encoding }: StatedLength): BodyFraming | BadFraming {
  if (encoding !== undefined) {
    const isPlain = encoding.toLowerCase() === 'chunked';
    return raw.protocol === 'HTTP/1.1' && length === undefined && isPlain ? CHUNKED : BAD_ENCODING;
  }
  if (length === undefined) return raw.protocol === 'HTTP/2' && !raw.ended ? CHUNKED : NO_BODY;
  if (!/^\d{1,15}$/.test(length)) return BAD_LENGTH;
  if (raw.ended && Number(length) !== 0) return BAD_LENGTH;
  return { kind: 'length', bytes: Number(length) };
}
