/** Owns scripts: code, strings, template literals, regular expressions, comments; and JSON, which is written the same way. */
import { isList, isMap, sortedEntries, toText } from '../values.ts';
import type { Value } from '../values.ts';
import { Unsafe } from './context.ts';
import type { InnerLanguage } from './context.ts';

type State = 'code' | '"' | "'" | '`' | 'regexp' | 'class' | 'line' | 'block';

/** Behind the parenthesis of these a statement begins, and so a slash a regular expression. ECMA-262 §14. */
const HEADS = new Set(['if', 'while', 'for', 'with']);
/** Behind these a slash begins a regular expression, and behind other words it divides. ECMA-262 §12. */
const NOT_OPERANDS = new Set(
  'break case continue delete do else finally in instanceof new return throw try typeof void yield await'.split(' '),
);
const WORD = /[\w$\u0080-\uFFFF]/;

interface Script {
  state: State;
  /** Whether what stands before is something that can be divided. */
  operand: boolean;
  word: string;
  /** Whether the word is the name of a member, which no keyword is. */
  member: boolean;
  last: string;
  /** The beginning of what may be a comment; of a comment, what may be its end. */
  pending: string;
  /** Nothing but space and comments since the line began. */
  lineStart: boolean;
  escaped: boolean;
  /** Why nobody can say where this stands; empty as long as it is known. */
  lost: string;
  /** Whether what stands before is `}`, of a block or of a value. */
  afterBrace: boolean;
  /** Of each parenthesis that is open, whether a statement begins behind it. */
  readonly parentheses: boolean[];
  /** Braces that are open in each `${…}`. */
  readonly braces: number[];
  blockHadLine: boolean;
}

/** `isWritten`: the text is in the page as it is; otherwise what `text` returns of it. */
export function createScriptContext(isWritten = false): InnerLanguage {
  const script: Script = {
    state: 'code',
    operand: false,
    word: '',
    member: false,
    last: '',
    pending: '',
    lineStart: true,
    escaped: false,
    lost: '',
    afterBrace: false,
    parentheses: [],
    braces: [],
    blockHadLine: false,
  };
  return {
    text: (text) => {
      let out = '';
      for (const character of text) out += step(script, character);
      return out;
    },
    value: (value) => writeValue(script, value, isWritten),
  };
}

function writeValue(script: Script, value: Value, isWritten: boolean): string {
  const { state } = script;
  if (state === 'line' || state === 'block') return '';
  if (script.lost !== '') throw new Unsafe(`data behind ${script.lost}`);
  if (script.escaped) throw new Unsafe('data behind a backslash');
  if (state === 'regexp' || state === 'class') throw new Unsafe('data in a regular expression');
  if (state !== 'code') return writeString(script, value);
  if (script.pending === '/' && !isOperand(script))
    throw new Unsafe('data where a regular expression or a division may stand');
  const held = isWritten ? '' : script.pending;
  Object.assign(script, { pending: '', operand: true, word: '', last: '', lineStart: false, afterBrace: false });
  return held + toScript(value);
}

function writeString(script: Script, value: Value): string {
  const text = escapeString(value, script.state === '`');
  // A "$" before data and a "{" behind it are no `${`.
  if (text !== '') script.last = '';
  return text;
}

/** One character further; what is written of it. */
function step(script: Script, character: string): string {
  switch (script.state) {
    case 'code':
      return stepCode(script, character);
    case 'line':
      return stepLine(script, character);
    case 'block':
      return stepBlock(script, character);
    default:
      stepQuoted(script, character);
      return character;
  }
}

function stepLine(script: Script, character: string): string {
  if (!/[\n\r\u2028\u2029]/.test(character)) return '';
  script.state = 'code';
  return character;
}

// ECMA-262 §12.4: a comment over several lines counts as a line end.
function stepBlock(script: Script, character: string): string {
  if (script.pending === '*' && character === '/') {
    Object.assign(script, { state: 'code', pending: '' });
    return script.blockHadLine ? '\n' : ' ';
  }
  script.pending = character === '*' ? '*' : '';
  script.blockHadLine ||= /[\n\r\u2028\u2029]/.test(character);
  return '';
}

const CLOSERS: Readonly<Record<string, string>> = { '"': '"', "'": "'", '`': '`', regexp: '/' };

function stepQuoted(script: Script, character: string): void {
  const { state } = script;
  if (script.escaped) {
    Object.assign(script, { escaped: false, last: '' });
    return;
  }
  if (character === '\\') script.escaped = true;
  else if (state === 'class') script.state = character === ']' ? 'regexp' : 'class';
  else if (state === 'regexp' && character === '[') script.state = 'class';
  else if (character === CLOSERS[state]) Object.assign(script, { state: 'code', operand: true, word: '' });
  else if (state === '`' && script.last === '$' && character === '{') {
    script.braces.push(0);
    Object.assign(script, { state: 'code', operand: false, word: '' });
  } else if (state !== '`' && /[\n\r]/.test(character)) script.lost = 'a string that is not closed';
  script.last = character;
}

// Besides its own comments a script may have HTML's, `<!--` and `-->`: ECMA-262 §B.1.1.
const COMMENT_STARTS: readonly string[] = ['//', '/*', '<!--'];

function stepCode(script: Script, character: string): string {
  const held = script.pending + character;
  if (COMMENT_STARTS.includes(held)) {
    Object.assign(script, { pending: '', state: held === '/*' ? 'block' : 'line', blockHadLine: false });
    return '';
  }
  if (COMMENT_STARTS.some((start) => start.startsWith(held))) {
    script.pending = held;
    return '';
  }
  if (script.pending === '') {
    if (character === '>' && script.last === '--' && script.lineStart) script.state = 'line';
    else stepToken(script, character);
    return character;
  }
  const { pending } = script;
  script.pending = '';
  if (pending === '/') return slash(script) + step(script, character);
  for (const one of pending) stepToken(script, one);
  return pending + step(script, character);
}

/** A slash that begins no comment. */
function slash(script: Script): string {
  const divides = isOperand(script);
  if (script.afterBrace) script.lost = '"}" and a slash, a division or a regular expression';
  Object.assign(script, {
    state: divides ? 'code' : 'regexp',
    operand: false,
    word: '',
    last: '/',
    lineStart: false,
    afterBrace: false,
  });
  return '/';
}

function isOperand({ word, member, operand }: Script): boolean {
  return word === '' ? operand : member || !NOT_OPERANDS.has(word);
}

function stepToken(script: Script, character: string): void {
  const { last } = script;
  if (/\s/.test(character)) {
    script.lineStart ||= /[\n\r\u2028\u2029]/.test(character);
    script.last = ' ';
    return;
  }
  if (WORD.test(character)) {
    if (!WORD.test(last)) Object.assign(script, { word: '', member: last === '.' });
    script.word += character;
    Object.assign(script, { last: character, lineStart: false, afterBrace: false });
    return;
  }
  // `x++ / 2` divides.
  const doubled = character === last && (character === '+' || character === '-');
  if (character === '(') script.parentheses.push(!script.member && HEADS.has(script.word));
  script.operand = character === ')' ? script.parentheses.pop() !== true : character === ']' || doubled;
  script.afterBrace = character === '}';
  script.word = '';
  script.last = doubled ? character + character : character;
  script.lineStart &&= character === '-';
  if (character === '"' || character === "'" || character === '`') script.state = character;
  stepBraces(script, character);
}

/** `${` … `}` of a template literal, with the braces within. */
function stepBraces(script: Script, character: string): void {
  const { braces } = script;
  const open = braces.at(-1);
  if (open === undefined || (character !== '{' && character !== '}')) return;
  braces.pop();
  if (character === '{') braces.push(open + 1);
  else if (open > 0) braces.push(open - 1);
  else script.state = '`';
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
  '/': '\\/',
  '\\': '\\\\',
};

/** Between quotes, also where the string is in an attribute or its end could be mistaken for the element's. */
function escapeString(value: Value, inTemplate: boolean): string {
  const text = value === undefined ? '' : toText(value);
  const pattern = inTemplate
    ? /(?![\x7F-\x9F])[\p{Cc}"&'+/<>\\`\u2028\u2029${}]/gu
    : /(?![\x7F-\x9F])[\p{Cc}"&'+/<>\\`\u2028\u2029]/gu;
  return text.replaceAll(pattern, (character) => ESCAPES[character] ?? unicodeEscape(character));
}

/** A value of the language itself. Spaces keep a number from touching what stands beside it. */
function toScript(value: Value): string {
  if (typeof value === 'number' || typeof value === 'boolean' || value === undefined)
    return ` ${String(value ?? 'null')} `;
  return JSON.stringify(toJson(value)).replaceAll(/[&<>\u2028\u2029]/g, unicodeEscape);
}

function unicodeEscape(character: string): string {
  return String.raw`\u` + character.charCodeAt(0).toString(16).padStart(4, '0');
}

function toJson(value: Value): unknown {
  if (isList(value)) return value.map(toJson);
  if (isMap(value)) return Object.fromEntries(sortedEntries(value).map(([key, one]) => [key, toJson(one)]));
  return value ?? null;
}
