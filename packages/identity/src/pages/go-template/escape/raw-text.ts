/** Owns elements in which no tags are but their own end: script, style, textarea, title. */
import { toText } from '../values.ts';
import type { Value } from '../values.ts';
import { Unsafe } from './context.ts';
import type { InnerLanguage } from './context.ts';
import { escapeText } from './html-text.ts';
import { createScriptContext } from './script.ts';
import { createStyleContext } from './style.ts';

export interface RawText {
  /** What is written of the character; undefined when the element ends in front of it. */
  step(character: string): string | undefined;
  /** Text without `<`; undefined where the characters before it may begin the element's end, and each has to be looked at. */
  stretch(text: string): string | undefined;
  value(value: Value): string;
  /** Whether character references are all there is to it. */
  readonly isText: boolean;
}

const SCRIPTS =
  /^(?:|module|(?:text|application)\/(?:x-)?(?:javascript(?:1\.[0-5])?|ecmascript|jscript|livescript)|application\/(?:[\w.-]+\+)?json|text\/json)$/;

/** What data could make whole: `watch` does not see it. */
const HIDING = /<(?:!-?|s|sc|scr|scri|scrip)$/;

/** Undefined for an element with ordinary content. `type` is that of a script element, `isForeign` whether it may be SVG's. */
export function createRawText(element: string, type: string, isForeign: boolean): RawText | undefined {
  switch (element) {
    case 'script':
      return rawText(element, scriptLanguage(type));
    case 'style':
      return rawText(element, isForeign ? createForeignSheet() : createStyleContext());
    case 'textarea':
    case 'title':
      return rawText(element, PLAIN);
    default:
      return undefined;
  }
}

/** Character references count in there, or nobody reads it as code. */
const PLAIN: InnerLanguage = {
  text: (text) => text,
  value: (value) => escapeText(value === undefined ? '' : toText(value)),
};

/** HTML Standard §13.2.6.5: text with character references there, and `&#125` in data would be a brace. CSS has another way to write "&". */
function createForeignSheet(): InnerLanguage {
  const { text, value } = createStyleContext();
  return { text, value: (given) => value(given).replaceAll('&', String.raw`\26 `) };
}

const NO_DATA: InnerLanguage = {
  text: (text) => text,
  value: () => {
    throw new Unsafe('data in a script that decides what other scripts are');
  },
};

// HTML Standard, "the script element": what is no type of a script is a block of data.
function scriptLanguage(type: string): InnerLanguage {
  const essence = (type.split(';')[0] ?? '').trim().toLowerCase();
  if (SCRIPTS.test(essence)) return createScriptContext();
  return essence.includes('/') ? PLAIN : NO_DATA;
}

function rawText(element: string, language: InnerLanguage): RawText {
  const endTag = `</${element}`;
  let pending = '';
  let tail = '';
  let hidden = false;
  // HTML Standard §13.2.5.17: `<!--` and then `<script` in a script, and the next end tag ends nothing.
  const watch = (text: string): void => {
    const seen = tail + text.toLowerCase();
    hidden ||= seen.includes('<!--');
    if (hidden && element === 'script' && seen.includes('<script')) throw new Unsafe('a script within a script');
    tail = seen.slice(-8);
  };
  const step = (character: string): string | undefined => {
    watch(character);
    if (pending === endTag && /[\t\n\f\r />]/.test(character)) return undefined;
    const longer = (pending + character).toLowerCase();
    if (endTag.startsWith(longer)) {
      pending = longer;
      return '';
    }
    const held = pending;
    pending = character === '<' ? '<' : '';
    return (held === '' ? '' : language.text(held)) + (pending === '' ? language.text(character) : '');
  };
  return {
    step,
    stretch: (text) => {
      if (pending !== '' || text === '') return undefined;
      watch(text);
      return language.text(text);
    },
    isText: language === PLAIN,
    value: (value) => {
      const held = pending;
      pending = '';
      if (element === 'script' && HIDING.test(tail)) throw new Unsafe('data behind what may begin "<!--" or "<script"');
      if (held === '') return language.value(value);
      if (held !== '<' || language !== PLAIN) throw new Unsafe('data behind "<"');
      return `&lt;${language.value(value)}`;
    },
  };
}
