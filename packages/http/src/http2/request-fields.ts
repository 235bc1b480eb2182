/** Owns making a request's head, or its trailers, of the fields of a header block (RFC 9113 sections 8.1 and 8.3): what is malformed is none. */
import type { HeadLimits, RawHead } from '../head/raw-head.ts';
import type { FieldTaker } from './hpack/decoder.ts';
import type { HeaderField } from './hpack/header-field.ts';

/** `length`: bytes of the body, where the head says so. */
export interface DecodedHead {
  readonly raw: RawHead;
  readonly length: number | undefined;
}

export type Unusable = 'malformed' | 'too large';

const SCHEME = /^[a-z][a-z0-9+.-]*$/i;
const LENGTH = /^\d{1,15}$/;

/** Takes one block; then gives what it was. */
export class RequestFields implements FieldTaker {
  readonly #limits: HeadLimits;
  readonly #fields: string[] = [];
  readonly #pseudo: Record<string, string | undefined> = {};
  #size = 0;
  #cookieAt = -1;
  #length: string | undefined;
  #hasOrdinary = false;
  #hasPseudo = false;
  #isMalformed = false;
  #saysForm = false;

  constructor(limits: HeadLimits) {
    this.#limits = limits;
  }

  take(field: HeaderField): void {
    this.#size += field.size;
    // A reference of one byte may name a field of four kilobytes: beyond the limit nothing is kept, only read.
    if (this.#isTooLarge) return;
    switch (field.kind) {
      case 'malformed':
        this.#isMalformed = true;
        return;
      case 'pseudo':
        return this.#takePseudo(field);
      case 'cookie':
        return this.#takeCookie(field);
      case 'length':
        if (this.#length !== undefined) this.#isMalformed = true;
        this.#length = field.value;
        return this.#takeOrdinary(field);
      case 'trailing':
        this.#saysForm = true;
        return this.#takeOrdinary(field);
      case 'ordinary':
        return this.#takeOrdinary(field);
    }
  }

  head(ended: boolean): DecodedHead | Unusable {
    if (this.#isMalformed) return 'malformed';
    if (this.#isTooLarge) return 'too large';
    const { ':method': method, ':path': target, ':authority': authority, ':protocol': extendedProtocol } = this.#pseudo;
    if (method === undefined || !this.#isFormGood()) return 'malformed';
    const length = this.#bodyLength(ended);
    if (length === 'malformed') return length;
    const rawFields = this.#fields;
    return {
      raw: { protocol: 'HTTP/2', method, target: target ?? '', authority, rawFields, ended, extendedProtocol },
      length,
    };
  }

  trailers(): readonly string[] | Unusable {
    if (this.#isTooLarge) return 'too large';
    const isBad = this.#isMalformed || this.#hasPseudo || this.#length !== undefined || this.#saysForm;
    return isBad ? 'malformed' : this.#fields;
  }

  get #isTooLarge(): boolean {
    return this.#size > this.#limits.maxBytes || this.#fields.length > this.#limits.maxFields * 2;
  }

  /** RFC 9113 section 8.3: before all others, each once. */
  #takePseudo({ name, value }: HeaderField): void {
    if (this.#hasOrdinary || this.#pseudo[name] !== undefined) this.#isMalformed = true;
    this.#hasPseudo = true;
    this.#pseudo[name] = value;
  }

  #takeOrdinary({ name, value }: HeaderField): void {
    this.#hasOrdinary = true;
    this.#fields.push(name, value);
  }

  /** RFC 9113 section 8.2.3: it comes in crumbs, so that their compression is better. */
  #takeCookie(field: HeaderField): void {
    const fields = this.#fields;
    const before = this.#cookieAt < 0 ? undefined : fields[this.#cookieAt];
    if (before !== undefined) {
      fields[this.#cookieAt] = `${before}; ${field.value}`;
      return;
    }
    this.#cookieAt = fields.length + 1;
    this.#takeOrdinary(field);
  }

  /** RFC 9113 sections 8.3.1 and 8.5, RFC 8441 section 4. */
  #isFormGood(): boolean {
    const { ':method': method, ':scheme': scheme, ':path': path, ':authority': authority } = this.#pseudo;
    const protocol = this.#pseudo[':protocol'];
    if (method === 'CONNECT' && protocol === undefined) {
      return scheme === undefined && path === undefined && authority !== undefined && authority !== '';
    }
    if (protocol !== undefined && (method !== 'CONNECT' || authority === undefined)) return false;
    if (scheme === undefined || !SCHEME.test(scheme) || path === undefined) return false;
    return path.startsWith('/') || (path === '*' && method === 'OPTIONS');
  }

  /** RFC 9113 section 8.1.1. One that is no number is malformed too. */
  #bodyLength(ended: boolean): number | undefined | 'malformed' {
    const text = this.#length;
    if (text === undefined) return undefined;
    if (!LENGTH.test(text) || (ended && Number(text) !== 0)) return 'malformed';
    return Number(text);
  }
}
