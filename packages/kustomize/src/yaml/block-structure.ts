/** The token queue with the two stacks that give YAML its block structure: indents and possible simple keys. */

import { KustomizeError } from '../errors.ts';
import type { Cursor } from './cursor.ts';

export type TokenType =
  | 'document-start'
  | 'document-end'
  | 'stream-end'
  | 'block-sequence-start'
  | 'block-mapping-start'
  | 'block-end'
  | 'flow-sequence-start'
  | 'flow-sequence-end'
  | 'flow-mapping-start'
  | 'flow-mapping-end'
  | 'block-entry'
  | 'flow-entry'
  | 'key'
  | 'value'
  | 'alias'
  | 'anchor'
  | 'tag'
  | 'plain'
  | 'quoted'
  | 'folded';

export interface Token {
  readonly type: TokenType;
  readonly value: string;
  readonly line: number;
}

interface SimpleKey {
  possible: boolean;
  required: boolean;
  token: number;
  pos: number;
  line: number;
  column: number;
}

const maxDepth = 500;
const maxSimpleKeyLength = 1024;

export class BlockStructure {
  private readonly cursor: Cursor;
  private tokens: Token[] = [];
  private head = 0;
  private parsed = 0;
  private readonly indents: number[] = [];
  private readonly keys: SimpleKey[] = [newKey()];

  constructor(cursor: Cursor) {
    this.cursor = cursor;
  }

  push(type: TokenType, value = '', line: number = this.cursor.line): void {
    this.tokens.push({ type, value, line });
  }

  first(): Token | undefined {
    return this.tokens[this.head];
  }

  shift(): void {
    this.head += 1;
    this.parsed += 1;
    if (this.head < this.tokens.length) return;
    this.tokens = [];
    this.head = 0;
  }

  /** True while the first token may still turn out to be a simple key. */
  firstIsUndecided(): boolean {
    return this.keys.some((key) => key.possible && key.token === this.parsed && this.isValidKey(key));
  }

  enterFlow(): void {
    this.keys.push(newKey());
    this.cursor.flowLevel += 1;
    if (this.cursor.flowLevel > maxDepth) throw this.tooDeep();
  }

  leaveFlow(): void {
    if (this.cursor.flowLevel === 0) return;
    this.cursor.flowLevel -= 1;
    this.keys.pop();
  }

  /** Notes that a simple key may start here. */
  saveKey(): void {
    const { cursor } = this;
    if (!cursor.simpleKeyAllowed) return;
    this.removeKey();
    const key = this.currentKey();
    key.possible = true;
    key.required = cursor.flowLevel === 0 && cursor.indent === cursor.column;
    key.token = this.parsed + this.tokens.length - this.head;
    key.pos = cursor.pos;
    key.line = cursor.line;
    key.column = cursor.column;
  }

  removeKey(): void {
    const key = this.currentKey();
    if (!key.possible) return;
    if (key.required) throw this.cursor.error("could not find expected ':'", key.line);
    key.possible = false;
  }

  /** Turns the possible simple key into a key token; false when there is none. */
  takeKey(): boolean {
    const key = this.currentKey();
    if (!key.possible || !this.isValidKey(key)) return false;
    const at = this.head + key.token - this.parsed;
    this.tokens.splice(at, 0, { type: 'key', value: '', line: key.line });
    this.indentTo(key.column, 'block-mapping-start', at);
    key.possible = false;
    return true;
  }

  /** Opens a block collection when the column is deeper than the current indent. */
  indentTo(column: number, type: TokenType, at: number = this.tokens.length): void {
    const { cursor } = this;
    if (cursor.flowLevel > 0 || cursor.indent >= column) return;
    this.indents.push(cursor.indent);
    cursor.indent = column;
    if (this.indents.length > maxDepth) throw this.tooDeep();
    this.tokens.splice(at, 0, { type, value: '', line: cursor.line });
  }

  /** Closes the block collections that are deeper than the column. */
  dedentTo(column: number): void {
    const { cursor } = this;
    if (cursor.flowLevel > 0) return;
    while (cursor.indent > column) {
      this.push('block-end');
      cursor.indent = this.indents.pop() ?? -1;
    }
  }

  private currentKey(): SimpleKey {
    const key = this.keys.at(-1);
    if (key === undefined) throw this.cursor.error('unbalanced flow collection');
    return key;
  }

  private isValidKey(key: SimpleKey): boolean {
    if (key.line === this.cursor.line && key.pos + maxSimpleKeyLength >= this.cursor.pos) return true;
    if (key.required) throw this.cursor.error("could not find expected ':'", key.line);
    key.possible = false;
    return false;
  }

  private tooDeep(): KustomizeError {
    return new KustomizeError('YAML_LIMIT', `nesting is deeper than ${maxDepth} levels`, { line: this.cursor.line });
  }
}

function newKey(): SimpleKey {
  return { possible: false, required: false, token: 0, pos: 0, line: 0, column: 0 };
}
