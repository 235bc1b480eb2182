/** Owns one attribute: what language its value is in, and data between its quotes or without any. */
import { toText } from '../values.ts';
import type { Value } from '../values.ts';
import { createAddressContext, filterCandidate } from './address.ts';
import { REPLACEMENT, Unsafe } from './context.ts';
import type { InnerLanguage } from './context.ts';
import { escapeText, escapeUnquoted } from './html-text.ts';
import { createReferenceDecoder } from './references.ts';
import { createScriptContext } from './script.ts';
import { createStyleContext } from './style.ts';

export interface AttributeContext {
  text(text: string): void;
  /** Escaped for the attribute. */
  value(value: Value): string;
  /** Whether the attribute holds a script of the template's. */
  readonly runsCode: boolean;
  /** What the function `urlquery` gave; of an address it is a part as it is. */
  encoded(text: string): string;
}

const ADDRESSES = new Set(
  'action archive background cite classid codebase data formaction href icon longdesc manifest ping poster profile src usemap xlink:href'.split(
    ' ',
  ),
);

const ANIMATIONS = new Set(['animate', 'animatetransform', 'animatemotion', 'set']);

export type Language = 'text' | 'address' | 'candidates' | 'script' | 'style' | 'refresh' | 'document' | 'type';

/** As html/template judges names: `data-` and a namespace in front say nothing, "src", "uri" and "url" inside say an address. */
export function languageOf(element: string, attribute: string): Language {
  const name = attribute.replace(/^data-/, '').replace(/^[^:]*:/, '');
  if (name.startsWith('on')) return 'script';
  if (name === 'style') return 'style';
  if (name === 'srcset' || name === 'imagesrcset') return 'candidates';
  if (name === 'srcdoc') return 'document';
  if (element === 'script' && name === 'type') return 'type';
  // SVG's animations set attributes of any name, `href` too.
  if (ANIMATIONS.has(element) && /^(?:attributename|from|to|by|values)$/.test(name)) return 'document';
  if (element === 'meta' && name === 'content') return 'refresh';
  const isAddress = ADDRESSES.has(name) || attribute.startsWith('xmlns') || /src|uri|url/.test(name);
  return isAddress ? 'address' : 'text';
}

export function createAttributeContext(language: Language, isQuoted: boolean): AttributeContext {
  const references = createReferenceDecoder();
  const address = language === 'address' ? createAddressContext() : undefined;
  const inner = innerLanguage(language, address);
  const escape = isQuoted ? escapeText : escapeUnquoted;
  let before = '';
  // `?a=1&` is common in addresses; where a scheme may come, data could make a letter of it, `&#106;`.
  const takeHeld = (): string => {
    const held = references.flush();
    if (held !== '' && address?.isOpen !== false) throw new Unsafe('data behind an unfinished character reference');
    return held;
  };
  const write = (value: Value): string => {
    if (language === 'text') return plain(value);
    if (references.unknown) throw new Unsafe('data behind a character reference of unknown meaning');
    const held = takeHeld();
    before += held;
    inner?.text(held);
    if (language === 'refresh') return refresh(before, value);
    if (inner === undefined) throw new Unsafe('data in an attribute that decides what runs');
    return inner.value(value);
  };
  return {
    text: (text) => {
      const meaning = references.decode(text);
      before += meaning;
      inner?.text(meaning);
    },
    value: (value) => escape(write(value)),
    encoded: (text) => {
      if (address === undefined || references.unknown) return escape(write(text));
      address.text(takeHeld());
      return escape(address.encoded(text));
    },
    get runsCode() {
      return language === 'script' || address?.runsCode === true;
    },
  };
}

function innerLanguage(language: Language, address: InnerLanguage | undefined): InnerLanguage | undefined {
  switch (language) {
    case 'address':
      return address;
    case 'candidates':
      return { text: (text) => text, value: filterCandidate };
    case 'script':
      return createScriptContext(true);
    case 'style':
      return createStyleContext();
    case 'text':
    case 'refresh':
    case 'document':
    case 'type':
      return undefined;
  }
}

function plain(value: Value): string {
  return value === undefined ? '' : toText(value);
}

// HTML Standard, "meta refresh": `5; url=…` takes the browser there.
function refresh(before: string, value: Value): string {
  const text = plain(value);
  const written = /url\s*=\s*["']?(.*)$/is.exec(before)?.[1];
  if (written !== undefined) {
    const address = createAddressContext();
    address.text(written);
    return address.value(value);
  }
  return /^[\s\d.]*[;,]/.test(before + text) ? REPLACEMENT : text;
}
