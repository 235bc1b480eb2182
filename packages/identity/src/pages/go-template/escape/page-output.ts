/**
 * Owns the page that templates write: at each character it knows in which element, attribute, script or style it is, by the rules of
 * the HTML Standard §13.2.5, and escapes data for that place. What it does not know for certain it refuses; nothing is sent then.
 */
import { templateError } from '../source.ts';
import type { Position } from '../source.ts';
import type { Output } from '../execute.ts';
import { toText } from '../values.ts';
import type { Value } from '../values.ts';
import { createAttributeContext, languageOf } from './attribute.ts';
import type { AttributeContext } from './attribute.ts';
import { encodeQuery } from './address.ts';
import { Unsafe } from './context.ts';
import { escapeMarkup, escapeText } from './html-text.ts';
import { createRawText } from './raw-text.ts';
import type { RawText } from './raw-text.ts';

export interface PageOutput extends Output {
  /** The page, once it is whole. `at` is where the template that wrote it begins. */
  finish(at: Position): FinishedPage;
}

export interface FinishedPage {
  readonly html: string;
  /** Whether the template has scripts in attributes, which no nonce lets run. */
  readonly runsAttributes: boolean;
}

/** A page of a megabyte is a mistake. */
const MAX_PAGE = 2_000_000;
/** Elements whose content browsers read in ways of their own. */
const REFUSED = new Set(['xmp', 'plaintext', 'noembed', 'noframes', 'listing']);

type State =
  | 'text'
  | 'tag-open'
  | 'tag-name'
  | 'in-tag'
  | 'name'
  | 'after-name'
  | 'before-value'
  | 'value'
  | 'raw'
  | 'comment'
  | 'doctype';

interface Page {
  out: string;
  state: State;
  /** `<`, `</`, `<!` …: not written before it is known what begins. */
  pending: string;
  element: string;
  isEnd: boolean;
  attribute: string;
  /** `type` of a script, as the template wrote it. */
  type: string;
  quote: '' | '"' | "'";
  value: AttributeContext | undefined;
  raw: RawText | undefined;
  runsAttributes: boolean;
  readonly nonce: string;
}

/** `nonce` goes into each script element that the template has; data can make none. */
export function createPageOutput(nonce: string): PageOutput {
  const page: Page = {
    out: '',
    state: 'text',
    pending: '',
    element: '',
    isEnd: false,
    attribute: '',
    type: '',
    quote: '',
    value: undefined,
    raw: undefined,
    runsAttributes: false,
    nonce,
  };
  const guarded = (at: Position, write: () => void): void => {
    try {
      write();
    } catch (error) {
      if (error instanceof Unsafe) throw templateError(at, `${error.message} cannot be made safe`);
      throw error;
    }
    if (page.out.length > MAX_PAGE) throw templateError(at, `the page is longer than ${MAX_PAGE} characters`);
  };
  return {
    text: (text, at) => guarded(at, () => writeText(page, text)),
    value: (value, at, escaper) => guarded(at, () => writeEscaped(page, value, escaper)),
    finish: (at) => {
      if (page.state !== 'text' && page.state !== 'tag-open')
        throw templateError(at, 'the page ends inside of a tag, a comment or a script');
      return { html: page.out + escapeText(page.pending), runsAttributes: page.runsAttributes };
    },
  };
}

function writeText(page: Page, text: string): void {
  for (let index = 0; index < text.length;) {
    if (page.state === 'text') {
      const tag = text.indexOf('<', index);
      page.out += text.slice(index, tag < 0 ? text.length : tag);
      if (tag < 0) return;
      page.state = 'tag-open';
      page.pending = '<';
      index = tag + 1;
      continue;
    }
    step(page, text[index] ?? '');
    index += 1;
  }
}

function step(page: Page, character: string): void {
  switch (page.state) {
    case 'tag-open':
      return stepTagOpen(page, character);
    case 'comment':
      return stepComment(page, character);
    case 'raw':
      return stepRaw(page, character);
    case 'doctype':
      page.out += character;
      if (character === '>') page.state = 'text';
      return;
    case 'value':
      return stepValue(page, character);
    case 'text':
      return writeText(page, character);
    default:
      return stepTag(page, character);
  }
}

const MARKUP = ['<!--', '<!doctype'];

function stepTagOpen(page: Page, character: string): void {
  const held = page.pending + character;
  if (/^<\/?[a-z]$/i.test(held)) {
    page.out += held;
    Object.assign(page, { pending: '', state: 'tag-name', element: character.toLowerCase(), isEnd: held.length > 2 });
    Object.assign(page, { type: '' });
  } else if (held === '<!--') Object.assign(page, { pending: '', state: 'comment' });
  else if (held.toLowerCase() === '<!doctype') {
    page.out += held;
    Object.assign(page, { pending: '', state: 'doctype' });
  } else if (held === '</' || MARKUP.some((start) => start.startsWith(held.toLowerCase()))) page.pending = held;
  else if (held.startsWith('<!')) throw new Unsafe('a declaration that is neither a comment nor a doctype');
  else {
    // No tag begins here, and none can be made of it by what follows.
    page.out += `&lt;${page.pending.slice(1)}`;
    Object.assign(page, { pending: '', state: 'text' });
    writeText(page, character);
  }
}

// Comments are the authors' own: Go does not send them either.
function stepComment(page: Page, character: string): void {
  const tail = (page.pending + character).slice(-3);
  const ends = tail === '-->' || /^-?>$/.test(page.pending + character);
  page.pending = ends ? '' : tail;
  if (ends) page.state = 'text';
}

function stepRaw(page: Page, character: string): void {
  const written = page.raw?.step(character);
  if (written !== undefined) {
    page.out += written;
    return;
  }
  page.out += `</${page.element}`;
  Object.assign(page, { state: 'in-tag', isEnd: true, raw: undefined });
  stepTag(page, character);
}

function stepTag(page: Page, character: string): void {
  if (page.state === 'tag-name') {
    if (!/[\s/>]/.test(character)) {
      page.out += character;
      page.element += character.toLowerCase();
      return;
    }
    beginTag(page);
  }
  if (character === '>' && page.state !== 'value') return endTag(page);
  const isSpace = /\s/.test(character);
  if (page.state === 'before-value' && !isSpace) return beginValue(page, character);
  page.out += character;
  if (page.state === 'before-value') return;
  if (character === '=' && page.state !== 'in-tag') page.state = 'before-value';
  else if (isSpace || character === '/')
    page.state =
      page.state === 'name' && isSpace
        ? 'after-name'
        : page.state === 'after-name' && isSpace
          ? 'after-name'
          : 'in-tag';
  else stepName(page, character);
}

function stepName(page: Page, character: string): void {
  if (/["'<=]/.test(character)) throw new Unsafe(`${character} in the name of an attribute`);
  page.attribute = page.state === 'name' ? page.attribute + character.toLowerCase() : character.toLowerCase();
  page.state = 'name';
}

function beginTag(page: Page): void {
  if (REFUSED.has(page.element)) throw new Unsafe(`the element ${page.element}`);
  if (page.element === 'script' && !page.isEnd && page.nonce !== '') page.out += ` nonce="${page.nonce}"`;
  page.state = 'in-tag';
}

function endTag(page: Page): void {
  page.out += '>';
  page.raw = page.isEnd ? undefined : createRawText(page.element, page.type);
  page.state = page.raw === undefined ? 'text' : 'raw';
}

function beginValue(page: Page, character: string): void {
  page.quote = character === '"' || character === "'" ? character : '';
  openValue(page);
  if (page.quote === '') return stepValue(page, character);
  page.out += character;
}

function openValue(page: Page): void {
  page.value = createAttributeContext(languageOf(page.element, page.attribute), page.quote !== '');
  page.state = 'value';
}

function stepValue(page: Page, character: string): void {
  const ends = page.quote === '' ? /[\s>]/.test(character) : character === page.quote;
  if (!ends) {
    if (page.quote === '' && /["'<=`]/.test(character)) throw new Unsafe(`${character} in a value without quotes`);
    page.value?.text(character);
    if (page.attribute === 'type') page.type += character;
    page.out += character;
    return;
  }
  page.runsAttributes ||= page.value?.runsCode === true;
  Object.assign(page, { state: 'in-tag', value: undefined });
  if (page.quote === '') stepTag(page, character);
  else page.out += character;
}

function writeValue(page: Page, value: Value): void {
  switch (page.state) {
    case 'text':
      page.out += escapeText(value === undefined ? '' : toText(value));
      return;
    case 'comment':
      page.pending = '';
      return;
    case 'raw':
      page.out += page.raw?.value(value) ?? '';
      return;
    case 'before-value':
      page.quote = '';
      openValue(page);
      page.out += page.value?.value(value) ?? '';
      return;
    case 'value':
      page.out += page.value?.value(value) ?? '';
      return;
    case 'tag-open':
      if (page.pending !== '<') throw new Unsafe('data in a tag');
      page.out += '&lt;';
      Object.assign(page, { pending: '', state: 'text' });
      return writeValue(page, value);
    default:
      throw new Unsafe('data as the name of a tag or an attribute');
  }
}

/** `html` and `urlquery` are not done once more where the page does the same; elsewhere they are part of what the author means. */
function writeEscaped(page: Page, value: Value, escaper: string | undefined): void {
  if (escaper === undefined) return writeValue(page, value);
  const text = value === undefined ? '' : toText(value);
  const { state } = page;
  if (escaper === 'html') {
    writeValue(page, takesMarkup(page) ? text : escapeMarkup(text));
  } else if (state === 'value') page.out += page.value?.encoded(encodeQuery(text)) ?? '';
  else writeValue(page, encodeQuery(text));
}

/** In every attribute the references are the outermost layer, whatever language is within. */
function takesMarkup({ state, raw }: Page): boolean {
  return state === 'raw' ? raw?.isText === true : true;
}
