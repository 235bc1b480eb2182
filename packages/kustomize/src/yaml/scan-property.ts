/** Anchors, aliases, tags and directives: what may stand before a node (YAML 1.1 §6.8, §6.9). */

import { type Cursor, char, isBlank, isBlankBreakOrEnd, isBreak, isEnd } from './cursor.ts';

const wordCharacter = /[0-9A-Za-z_-]/u;
const uriCharacter = /[0-9A-Za-z_\-;/?:@&=+$.!~*'()%]/u;
const uriOnlyCharacter = /[,[\]]/u;
const afterAnchor = '?:,]}%@`';

function isWord(code: number): boolean {
  return !isEnd(code) && wordCharacter.test(String.fromCharCode(code));
}

/** Name of an anchor or alias; the cursor stands on `&` or `*`. */
export function scanAnchor(cursor: Cursor): string {
  cursor.pos += 1;
  const start = cursor.pos;
  while (isWord(cursor.code())) cursor.pos += 1;
  const name = cursor.text.slice(start, cursor.pos);
  const next = cursor.code();
  if (name === '' || !(isBlankBreakOrEnd(next) || afterAnchor.includes(String.fromCharCode(next)))) {
    throw cursor.error('an anchor or alias needs a name of letters, digits, _ and -');
  }
  return name;
}

function scanUri(cursor: Cursor, verbatim: boolean): string {
  const start = cursor.pos;
  for (;;) {
    const code = cursor.code();
    if (isEnd(code)) break;
    const text = String.fromCharCode(code);
    if (!uriCharacter.test(text) && !(verbatim && uriOnlyCharacter.test(text))) break;
    cursor.pos += 1;
  }
  const raw = cursor.text.slice(start, cursor.pos);
  if (!raw.includes('%')) return raw;
  try {
    return decodeURIComponent(raw);
  } catch {
    throw cursor.error('a tag has a malformed % escape');
  }
}

function scanVerbatimTag(cursor: Cursor): string {
  cursor.pos += 2;
  const tag = scanUri(cursor, true);
  if (cursor.code() !== char.greater) throw cursor.error("a verbatim tag is not closed with '>'");
  cursor.pos += 1;
  return tag;
}

/** The tag as written, its handle resolved; the cursor stands on `!`. */
export function scanTag(cursor: Cursor, handles: ReadonlyMap<string, string>): string {
  let tag: string;
  if (cursor.code(1) === char.less) {
    tag = scanVerbatimTag(cursor);
  } else {
    const match = /!(?:[0-9A-Za-z_-]*!)?/uy;
    match.lastIndex = cursor.pos;
    const handle = match.exec(cursor.text)?.[0] ?? '!';
    cursor.pos += handle.length;
    const suffix = scanUri(cursor, false);
    const prefix = handles.get(handle);
    if (prefix === undefined) throw cursor.error(`undefined tag handle '${handle}'`);
    if (suffix === '' && handle !== '!') throw cursor.error('a tag needs a name after its handle');
    tag = prefix + suffix;
  }
  const next = cursor.code();
  if (!isBlankBreakOrEnd(next) && !(cursor.flowLevel > 0 && next === char.comma)) {
    throw cursor.error('a tag is not followed by a blank');
  }
  return shortTag(tag);
}

const longPrefix = 'tag:yaml.org,2002:';

function shortTag(tag: string): string {
  return tag.startsWith(longPrefix) ? `!!${tag.slice(longPrefix.length)}` : tag;
}

/** Reads a `%YAML` or `%TAG` line; a tag handle is added to `handles`. */
export function scanDirective(cursor: Cursor, handles: Map<string, string>): void {
  const start = cursor.pos;
  while (!isEnd(cursor.code()) && !isBreak(cursor.code())) cursor.pos += 1;
  const words = cursor.text
    .slice(start, cursor.pos)
    .replace(/[ \t]#.*$/u, '')
    .trimEnd()
    .split(/[ \t]+/u);
  if (words[0] === '%YAML') {
    if (words.length !== 2 || !/^1\.[12]$/u.test(words[1] ?? '')) throw cursor.error('incompatible YAML version');
  } else if (words[0] === '%TAG') {
    const [, handle, prefix] = words;
    if (
      words.length !== 3 ||
      handle === undefined ||
      prefix === undefined ||
      !/^!(?:[0-9A-Za-z_-]*!)?$/u.test(handle)
    ) {
      throw cursor.error('a %TAG directive needs a handle and a prefix');
    }
    handles.set(handle, prefix);
  } else {
    throw cursor.error('unknown directive');
  }
  if (isBreak(cursor.code())) cursor.readBreak();
}

export function skipBlanks(cursor: Cursor): void {
  while (isBlank(cursor.code())) cursor.pos += 1;
}
