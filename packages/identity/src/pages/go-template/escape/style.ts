/** Owns style sheets: values, strings, `url(…)`, comments. */
import { toText } from '../values.ts';
import { createAddressContext } from './address.ts';
import { REPLACEMENT, Unsafe } from './context.ts';
import type { InnerLanguage } from './context.ts';

type State = 'code' | 'string' | 'url-start' | 'url' | 'comment';

interface Style {
  state: State;
  /** Of the string, or of the one inside `url(`; empty without. */
  quote: string;
  word: string;
  pending: '' | '/' | '*';
  escaped: boolean;
  /** What a string or `url(` may name is an address. */
  address: ReturnType<typeof createAddressContext>;
}

/** Words, numbers with units, colours; nothing that ends a declaration or calls a function. */
const HARMLESS = /^[\p{L}\p{N}_#.%,+!?*=&|~^$ -]*$/u;
const HARMFUL = /--|expression|mozbinding/i;

export function createStyleContext(): InnerLanguage {
  const style: Style = {
    state: 'code',
    quote: '',
    word: '',
    pending: '',
    escaped: false,
    address: createAddressContext(),
  };
  return {
    text: (text) => {
      let out = '';
      for (const character of text) out += step(style, character);
      return out;
    },
    value: (value) => writeValue(style, value === undefined ? '' : toText(value)),
  };
}

function writeValue(style: Style, text: string): string {
  if (style.state === 'comment') return '';
  if (style.escaped || style.pending !== '') throw new Unsafe('data behind a backslash or a slash');
  if (style.state === 'code') {
    style.word = 'x';
    return HARMLESS.test(text) && !HARMFUL.test(text) ? text : REPLACEMENT;
  }
  if (style.state === 'url-start') openString(style, '', 'url');
  // In a string the address is looked at for its scheme alone: `content` is no address, `@import` is.
  if (style.state === 'url') return style.address.value(text);
  const asAddress = style.address.value(text);
  return asAddress.startsWith(`#${REPLACEMENT}`) ? asAddress : escapeString(text);
}

function step(style: Style, character: string): string {
  if (style.state === 'comment') return stepComment(style, character);
  if (style.escaped) {
    style.escaped = false;
    if (style.state === 'code') style.word += '\\';
    return character;
  }
  if (character === '\\') {
    style.escaped = true;
    return character;
  }
  switch (style.state) {
    case 'code':
      return stepCode(style, character);
    case 'string':
      stepString(style, character, 'code');
      return character;
    default:
      stepUrl(style, character);
      return character;
  }
}

function stepComment(style: Style, character: string): string {
  const ends = style.pending === '*' && character === '/';
  style.pending = !ends && character === '*' ? '*' : '';
  if (ends) style.state = 'code';
  return ends ? ' ' : '';
}

function stepCode(style: Style, character: string): string {
  if (style.pending === '/') {
    style.pending = '';
    if (character === '*') style.state = 'comment';
    return character === '*' ? '' : `/${stepCode(style, character)}`;
  }
  if (character === '/') {
    style.pending = '/';
    style.word = '';
    return '';
  }
  if (character === '"' || character === "'") openString(style, character, 'string');
  if (character === '(') openFunction(style);
  else style.word = /[\w-]/.test(character) || character > '\u007F' ? style.word + character : '';
  return character;
}

function openString(style: Style, quote: string, state: State): void {
  Object.assign(style, { state, quote, address: createAddressContext() });
}

// CSS Syntax §4.3.4: what `url(` is may be written with escapes too; then nobody writes data into it.
function openFunction(style: Style): void {
  if (style.word.includes('\\')) throw new Unsafe('a function whose name is escaped');
  if (style.word.toLowerCase() === 'url') style.state = 'url-start';
  style.word = '';
}

function stepString(style: Style, character: string, after: State): void {
  if (character === style.quote) style.state = after;
  else if (/[\n\r\f]/.test(character)) throw new Unsafe('a string that is not closed');
  else style.address.text(character);
}

function stepUrl(style: Style, character: string): void {
  if (style.state === 'url-start') {
    if (/\s/.test(character)) return;
    const quote = character === '"' || character === "'" ? character : '';
    openString(style, quote, 'url');
    if (quote !== '') return;
  }
  // Behind the string inside of url() only its end comes, which the string's own end stands for.
  if (style.quote !== '') return stepString(style, character, 'code');
  if (character === ')' || /\s/.test(character)) style.state = 'code';
  else style.address.text(character);
}

// CSS Syntax §4.3.7: a space ends the number where what follows could be part of it.
function escapeString(text: string): string {
  return text.replaceAll(/(?![\x7F-\x9F])[\p{Cc}"&'()+/:;<>\\{}]/gu, (character, offset: number) => {
    if (character === '\\') return String.raw`\\`;
    const next = text[offset + 1] ?? ' ';
    return `\\${character.charCodeAt(0).toString(16)}${/[\da-fA-F\s]/.test(next) ? ' ' : ''}`;
  });
}
