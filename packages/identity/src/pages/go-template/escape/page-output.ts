/**
 * Owns the page that templates write: at each character it knows in which element, attribute, script or style it is, by the rules of
 * the HTML Standard §13.2.5, and escapes data for that place. What it does not know for certain it refuses; nothing is sent then.
 */
import { templateError } from '../source.ts';
import type { Position } from '../source.ts';
import type { Output } from '../execute.ts';
import { toText } from '../values.ts';
import type { Value } from '../values.ts';
import { encodeQuery } from './address.ts';
import { Unsafe } from './context.ts';
import { escapeMarkup, escapeText } from './html-text.ts';
import { createPage, openValue, stepTag, stepValue, takeQuoted } from './tags.ts';
import type { Page } from './tags.ts';

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
/** `nonce` goes into each script element that the template has; data can make none. */
export function createPageOutput(nonce: string): PageOutput {
  const page = createPage(nonce);
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
    // Long stretches go at once; what is left is for one character.
    index = writeStretch(page, text, index);
    if (index < text.length) step(page, text[index] ?? '');
    index += 1;
  }
}

function writeStretch(page: Page, text: string, start: number): number {
  if (page.state === 'value') return takeQuoted(page, text, start);
  if (page.state !== 'text' && page.state !== 'raw') return start;
  const tag = text.indexOf('<', start);
  const end = tag < 0 ? text.length : tag;
  const stretch = text.slice(start, end);
  if (page.state === 'text') page.out += stretch;
  else {
    const written = page.raw?.stretch(stretch);
    if (written === undefined) return start;
    page.out += written;
  }
  return end;
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
      Object.assign(page, { state: 'tag-open', pending: character });
      return;
    default:
      return stepTag(page, character);
  }
}

const MARKUP = ['<!--', '<!doctype'];

function stepTagOpen(page: Page, character: string): void {
  const held = page.pending + character;
  if (/^<\/?[a-z]$/i.test(held)) {
    page.out += held;
    Object.assign(page, {
      pending: '',
      state: 'tag-name',
      element: character.toLowerCase(),
      isEnd: held.length > 2,
      type: undefined,
    });
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
