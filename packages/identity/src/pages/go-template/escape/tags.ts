/** Owns tags: their names, attributes and values, and what their end leads to. HTML Standard §13.2.5.8 to §13.2.5.40. */
import { createAttributeContext, languageOf } from './attribute.ts';
import type { AttributeContext } from './attribute.ts';
import { Unsafe } from './context.ts';
import { createRawText } from './raw-text.ts';
import type { RawText } from './raw-text.ts';

/** Elements whose content browsers read in ways of their own. */
const REFUSED = new Set(['xmp', 'plaintext', 'noembed', 'noframes', 'listing']);
/** HTML's own, fewer than JavaScript's `\s`: a space of another kind is part of a name. */
const SPACE = /[\t\n\f\r ]/;

export type TagState = 'tag-name' | 'in-tag' | 'name' | 'after-name' | 'before-value' | 'value';

export interface Page {
  out: string;
  state: 'text' | 'tag-open' | 'raw' | 'comment' | 'doctype' | TagState;
  /** `<`, `</`, `<!` …: not written before it is known what begins. */
  pending: string;
  element: string;
  isEnd: boolean;
  attribute: string;
  /** `type` of a script, as the template wrote it; undefined without. */
  type: string | undefined;
  /** How many elements `svg` and `math` are open, in which browsers read style sheets as text. */
  foreign: number;
  quote: '' | '"' | "'";
  value: AttributeContext | undefined;
  raw: RawText | undefined;
  runsAttributes: boolean;
  readonly nonce: string;
}

/** `nonce` goes into each script element that the template has; data can make none. */
export function createPage(nonce: string): Page {
  return {
    out: '',
    state: 'text',
    pending: '',
    element: '',
    isEnd: false,
    attribute: '',
    type: undefined,
    foreign: 0,
    quote: '',
    value: undefined,
    raw: undefined,
    runsAttributes: false,
    nonce,
  };
}

export function stepTag(page: Page, character: string): void {
  const { state } = page;
  const isSpace = SPACE.test(character);
  if (state === 'tag-name') {
    if (!isSpace && character !== '/' && character !== '>') {
      page.element += character.toLowerCase();
      page.out += character;
      return;
    }
    beginTag(page);
  }
  if (character === '>') return endTag(page);
  if (state === 'before-value' && !isSpace) return beginValue(page, character);
  page.out += character;
  if (state === 'before-value') return;
  if (character === '=' && (state === 'name' || state === 'after-name')) page.state = 'before-value';
  else if (isSpace) page.state = state === 'name' || state === 'after-name' ? 'after-name' : 'in-tag';
  else if (character === '/') page.state = 'in-tag';
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
  countForeign(page);
  page.raw = page.isEnd ? undefined : createRawText(page.element, page.type ?? '', page.foreign > 0);
  // Within SVG such an element ends here, in HTML it does not: nobody can say what follows.
  if (page.raw !== undefined && page.out.endsWith('/')) throw new Unsafe(`what follows <${page.element}/>`);
  page.out += '>';
  page.state = page.raw === undefined ? 'text' : 'raw';
}

function countForeign(page: Page): void {
  if (page.element !== 'svg' && page.element !== 'math') return;
  if (page.isEnd) page.foreign = Math.max(0, page.foreign - 1);
  else if (!page.out.endsWith('/')) page.foreign += 1;
}

function beginValue(page: Page, character: string): void {
  page.quote = character === '"' || character === "'" ? character : '';
  openValue(page);
  if (page.quote === '') return stepValue(page, character);
  page.out += character;
}

export function openValue(page: Page): void {
  const language = languageOf(page.element, page.attribute);
  if (language === 'type') {
    // Browsers take the first; data in either is refused.
    if (page.type !== undefined) throw new Unsafe('a second type of a script');
    page.type = '';
  }
  page.value = createAttributeContext(language, page.quote !== '');
  page.state = 'value';
}

/** The text up to `end` that is certain to be part of a value between quotes; where it stops. */
export function takeQuoted(page: Page, text: string, start: number): number {
  if (page.quote === '') return start;
  const quote = text.indexOf(page.quote, start);
  const end = quote < 0 ? text.length : quote;
  if (end > start) addText(page, text.slice(start, end));
  return end;
}

function addText(page: Page, text: string): void {
  page.value?.text(text);
  if (page.element === 'script' && page.attribute === 'type') page.type += text;
  page.out += text;
}

export function stepValue(page: Page, character: string): void {
  const ends = page.quote === '' ? character === '>' || SPACE.test(character) : character === page.quote;
  if (!ends) {
    if (page.quote === '' && /["'<=`]/.test(character)) throw new Unsafe(`${character} in a value without quotes`);
    return addText(page, character);
  }
  page.runsAttributes ||= page.value?.runsCode === true;
  Object.assign(page, { state: 'in-tag', value: undefined });
  if (page.quote === '') stepTag(page, character);
  else page.out += character;
}
