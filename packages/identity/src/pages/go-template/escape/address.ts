/** Owns addresses: whose scheme it is, percent-encoding, and where the query begins. */
import { toText } from '../values.ts';
import type { Value } from '../values.ts';
import { REPLACEMENT, Unsafe } from './context.ts';
import type { InnerLanguage } from './context.ts';

/** Data may choose no other scheme: everything else runs, or leaves the browser. */
const SAFE_SCHEMES = new Set(['http', 'https', 'mailto']);
/** A template may write `javascript:history.back()`, but data behind it would be code. */
const CODE_SCHEMES = new Set(['javascript', 'vbscript', 'data']);
/** Longer than any scheme. */
const MAX_UNDECIDED = 2000;

export interface AddressContext extends InnerLanguage {
  /** Whether what follows may still be part of a scheme. */
  readonly isOpen: boolean;
  /** Whether the template wrote the address of a script. */
  readonly runsCode: boolean;
  /** What is percent-encoded already, all of it. */
  encoded(text: string): string;
}

/** Written by the template or by data: as long as there is no scheme and no path, both can make one together. */
export function createAddressContext(): AddressContext {
  let part: 'start' | 'path' | 'query' | 'code' = 'start';
  let start = '';
  let byData = false;
  const settle = (added: string): void => {
    if (part === 'start') {
      start += added;
      const separator = /[:/?#]/.exec(start)?.[0];
      if (separator === ':') part = judgeScheme(start.slice(0, start.indexOf(':')), byData);
      else if (separator !== undefined || start.length > MAX_UNDECIDED) part = 'path';
      if (part === 'path' && /[?#]/.test(start)) part = 'query';
    } else if (part === 'path' && /[?#]/.test(added)) part = 'query';
  };
  return {
    text: (text) => {
      settle(text);
      return text;
    },
    value: (value) => {
      const text = toAddress(value);
      if (part === 'code') throw new Unsafe('data in the address of a script');
      if (part === 'query') return percentEncode(text);
      if (part === 'start') {
        const scheme = /^([^:/?#]*):/.exec(start + text)?.[1];
        if (scheme !== undefined && !SAFE_SCHEMES.has(clean(scheme))) return refuse();
        byData ||= text !== '';
      }
      settle(text);
      return normalise(text);
    },
    encoded: (text) => {
      if (part === 'code') throw new Unsafe('data in the address of a script');
      byData ||= part === 'start' && text !== '';
      settle(text);
      return text;
    },
    get isOpen() {
      return part === 'start';
    },
    get runsCode() {
      return part === 'code';
    },
  };
  // What follows is behind a "#".
  function refuse(): string {
    part = 'query';
    return `#${REPLACEMENT}`;
  }
}

function judgeScheme(scheme: string, byData: boolean): 'path' | 'code' {
  const name = clean(scheme);
  if (byData && !SAFE_SCHEMES.has(name)) throw new Unsafe('data that makes the scheme of an address');
  return CODE_SCHEMES.has(name) ? 'code' : 'path';
}

// Browsers skip control characters and space in front of and, some, within a scheme.
function clean(scheme: string): string {
  return scheme.replaceAll(/[\p{Cc}\s]/gu, '').toLowerCase();
}

/** One candidate of `srcset`; commas and spaces would make several. */
export function filterCandidate(value: Value): string {
  const text = toAddress(value);
  return /[\s,]/.test(text) ? `#${REPLACEMENT}` : createAddressContext().value(text);
}

function toAddress(value: Value): string {
  return value === undefined ? '' : toText(value);
}

/** RFC 3986 §2.3: everything but unreserved characters. */
export function percentEncode(text: string): string {
  return encodeBut(/[\w.~-]/, text);
}

/** A value of a form, as net/url.QueryEscape of Go writes it. */
export function encodeQuery(text: string): string {
  return percentEncode(text)
    .replaceAll(/%[\da-f]{2}/g, (encoded) => encoded.toUpperCase())
    .replaceAll('%20', '+');
}

// RFC 3986 §2.2: reserved characters stay, but for those that end attributes and CSS's url(); so does what is encoded already.
function normalise(text: string): string {
  return text
    .split(/(%[\da-fA-F]{2})/)
    .map((part, index) => (index % 2 === 1 ? part : encodeBut(/[\w.~!#$&*+,/:;=?@[\]-]/, part)))
    .join('');
}

function encodeBut(kept: RegExp, text: string): string {
  let out = '';
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte);
    out += byte < 0x80 && kept.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
  }
  return out;
}
