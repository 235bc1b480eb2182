/**
 * YAML text -> tokens, after the libyaml scheme: "possible simple keys" become keys when a `:` is met after them, so that no
 * backtracking is needed. Lazy: what stands after the first document is never read.
 */

import { BlockStructure, type Token, type TokenType } from './block-structure.ts';
import { Cursor, char, isBlankBreakOrEnd, isBreak, isEnd } from './cursor.ts';
import { scanBlock } from './scan-block.ts';
import { scanAnchor, scanDirective, scanTag } from './scan-property.ts';
import { scanPlain, scanQuoted } from './scan-scalar.ts';

export class Scanner {
  private readonly cursor: Cursor;
  private readonly handles = new Map<string, string>([
    ['!', '!'],
    ['!!', 'tag:yaml.org,2002:'],
  ]);
  private readonly blocks: BlockStructure;
  private ended = false;
  /** True after a %YAML or %TAG line. */
  hasDirectives = false;

  constructor(text: string) {
    this.cursor = new Cursor(text);
    this.blocks = new BlockStructure(this.cursor);
    if (this.cursor.code() === char.byteOrderMark) {
      this.cursor.pos = 1;
      this.cursor.lineStart = 1;
    }
  }

  /** The next token, left in place. */
  peek(): Token {
    while (!this.ended && (this.blocks.first() === undefined || this.blocks.firstIsUndecided())) this.fetch();
    const token = this.blocks.first();
    if (token === undefined) throw this.cursor.error('unexpected end of the YAML stream');
    return token;
  }

  next(): Token {
    const token = this.peek();
    this.blocks.shift();
    return token;
  }

  private fetch(): void {
    const { cursor } = this;
    this.skipToToken();
    this.blocks.dedentTo(cursor.column);
    const code = cursor.code();
    if (isEnd(code)) return this.fetchEnd();
    if (cursor.pos === cursor.lineStart) {
      if (code === char.percent) return this.fetchDirective();
      if (cursor.atDocumentIndicator()) return this.fetchDocumentIndicator(code);
    }
    const next = isBlankBreakOrEnd(cursor.code(1));
    if (this.fetchIndicator(code, next)) return undefined;
    if (this.fetchPropertyOrQuoted(code)) return undefined;
    if (
      code === char.minus
        ? isDashPlain(cursor.code(1))
        : startsPlain(code) || (isQuestionOrColon(code) && !next && cursor.flowLevel === 0)
    ) {
      return this.fetchScalar('plain', scanPlain);
    }
    throw cursor.error('found character that cannot start any token');
  }

  private fetchIndicator(code: number, blankNext: boolean): boolean {
    const inFlow = this.cursor.flowLevel > 0;
    switch (code) {
      case char.openBracket:
        return this.fetchFlowStart('flow-sequence-start');
      case char.openBrace:
        return this.fetchFlowStart('flow-mapping-start');
      case char.closeBracket:
        return this.fetchFlowEnd('flow-sequence-end');
      case char.closeBrace:
        return this.fetchFlowEnd('flow-mapping-end');
      case char.comma:
        return this.fetchFlowEntry();
      case char.minus:
        return blankNext && this.fetchBlockEntry();
      case char.question:
        return (inFlow || blankNext) && this.fetchKey();
      case char.colon:
        return (inFlow || blankNext) && this.fetchValue();
      default:
        return false;
    }
  }

  private fetchPropertyOrQuoted(code: number): boolean {
    const { cursor } = this;
    switch (code) {
      case char.star:
        this.fetchScalar('alias', scanAnchor);
        return true;
      case char.ampersand:
        this.fetchScalar('anchor', scanAnchor);
        return true;
      case char.bang:
        this.fetchScalar('tag', (at) => scanTag(at, this.handles));
        return true;
      case char.singleQuote:
      case char.doubleQuote:
        this.fetchScalar('quoted', scanQuoted);
        return true;
      case char.pipe:
      case char.greater:
        if (cursor.flowLevel > 0) return false;
        this.blocks.removeKey();
        cursor.simpleKeyAllowed = true;
        this.pushScanned(code === char.greater ? 'folded' : 'quoted', scanBlock);
        return true;
      default:
        return false;
    }
  }

  private pushScanned(type: TokenType, scan: (cursor: Cursor) => string): void {
    const { line } = this.cursor;
    this.blocks.push(type, scan(this.cursor), line);
  }

  /** Everything that may be a simple key: scalars, anchors, aliases and tags. */
  private fetchScalar(type: TokenType, scan: (cursor: Cursor) => string): void {
    this.blocks.saveKey();
    this.cursor.simpleKeyAllowed = false;
    this.pushScanned(type, scan);
  }

  private skipToToken(): void {
    const { cursor } = this;
    for (;;) {
      if (cursor.pos === cursor.lineStart && cursor.code() === char.byteOrderMark) cursor.pos += 1;
      let code = cursor.code();
      while (code === char.space || (code === char.tab && (cursor.flowLevel > 0 || !cursor.simpleKeyAllowed))) {
        cursor.pos += 1;
        code = cursor.code();
      }
      if (code === char.hash) {
        while (!isEnd(code) && !isBreak(code)) {
          cursor.pos += 1;
          code = cursor.code();
        }
      }
      if (!isBreak(code)) return;
      cursor.readBreak();
      if (cursor.flowLevel === 0) cursor.simpleKeyAllowed = true;
    }
  }

  private fetchEnd(): void {
    this.blocks.dedentTo(-1);
    this.blocks.removeKey();
    this.blocks.push('stream-end');
    this.ended = true;
  }

  private fetchDirective(): void {
    this.blocks.dedentTo(-1);
    this.blocks.removeKey();
    this.cursor.simpleKeyAllowed = false;
    scanDirective(this.cursor, this.handles);
    this.hasDirectives = true;
  }

  private fetchDocumentIndicator(code: number): void {
    this.blocks.dedentTo(-1);
    this.blocks.removeKey();
    this.cursor.simpleKeyAllowed = false;
    this.cursor.pos += 3;
    this.blocks.push(code === char.minus ? 'document-start' : 'document-end');
  }

  private fetchFlowStart(type: TokenType): true {
    this.blocks.saveKey();
    this.blocks.enterFlow();
    this.cursor.simpleKeyAllowed = true;
    return this.consume(type);
  }

  private fetchFlowEnd(type: TokenType): true {
    this.blocks.removeKey();
    this.blocks.leaveFlow();
    this.cursor.simpleKeyAllowed = false;
    return this.consume(type);
  }

  private fetchFlowEntry(): true {
    this.blocks.removeKey();
    this.cursor.simpleKeyAllowed = true;
    return this.consume('flow-entry');
  }

  private fetchBlockEntry(): true {
    const { cursor } = this;
    if (cursor.flowLevel === 0) {
      if (!cursor.simpleKeyAllowed) throw cursor.error('block sequence entries are not allowed in this context');
      this.blocks.indentTo(cursor.column, 'block-sequence-start');
    }
    this.blocks.removeKey();
    cursor.simpleKeyAllowed = true;
    return this.consume('block-entry');
  }

  private fetchKey(): true {
    const { cursor } = this;
    if (cursor.flowLevel === 0) {
      if (!cursor.simpleKeyAllowed) throw cursor.error('mapping keys are not allowed in this context');
      this.blocks.indentTo(cursor.column, 'block-mapping-start');
    }
    this.blocks.removeKey();
    cursor.simpleKeyAllowed = cursor.flowLevel === 0;
    return this.consume('key');
  }

  private fetchValue(): true {
    const { cursor } = this;
    if (this.blocks.takeKey()) {
      cursor.simpleKeyAllowed = false;
    } else {
      if (cursor.flowLevel === 0) {
        if (!cursor.simpleKeyAllowed) throw cursor.error('mapping values are not allowed in this context');
        this.blocks.indentTo(cursor.column, 'block-mapping-start');
      }
      cursor.simpleKeyAllowed = cursor.flowLevel === 0;
    }
    return this.consume('value');
  }

  private consume(type: TokenType): true {
    this.blocks.push(type);
    this.cursor.pos += 1;
    return true;
  }
}

function isQuestionOrColon(code: number): boolean {
  return code === char.question || code === char.colon;
}

function isDashPlain(next: number): boolean {
  return next !== char.space && next !== char.tab;
}

const neverPlain = new Set<number>([...'-?:,[]{}#&*!|>\'"%@`\t'].map((text) => text.charCodeAt(0)));

function startsPlain(code: number): boolean {
  return !neverPlain.has(code);
}
