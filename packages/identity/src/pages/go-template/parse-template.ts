/** Owns the grammar of a file: text, actions, branches that end with `end`, and the templates that it defines. */
import { createTokenReader, isSymbol, parsePipeline } from './parse-pipeline.ts';
import type { Names, TokenReader } from './parse-pipeline.ts';
import { readPieces } from './pieces.ts';
import type { Piece } from './pieces.ts';
import { templateError } from './source.ts';
import type { Position, Source } from './source.ts';
import type { Branch, Node, TemplateSet } from './syntax.ts';
import type { Token } from './tokens.ts';

/** Deeper than any page; the parser calls itself as often. */
const MAX_NESTING = 100;

interface Parser extends Names {
  readonly pieces: Iterator<Piece>;
  readonly defined: Map<string, readonly Node[]>;
  readonly end: Position;
  /** `break` and `continue` belong to these. */
  loops: number;
  nesting: number;
}

/** Why a list ended. */
interface Closing {
  readonly kind: 'end' | 'else' | 'file';
  readonly at: Position;
  /** Behind `else`. */
  readonly rest: TokenReader;
}

interface List {
  readonly nodes: readonly Node[];
  readonly closing: Closing;
}

/** The file itself by its name, and each template it defines. Throws at the first mistake. */
export function parseTemplate(source: Source, functions: ReadonlySet<string>): TemplateSet {
  const end = { source, offset: source.text.length };
  const defined = new Map<string, readonly Node[]>();
  const pieces = readPieces(source)[Symbol.iterator]();
  const parser: Parser = { pieces, defined, end, functions, variables: ['$'], loops: 0, nesting: 0 };
  const { nodes, closing } = parseList(parser);
  if (closing.kind !== 'file') throw templateError(closing.at, `unexpected "${closing.kind}"`);
  return addTemplate(defined, { name: source.name, nodes, at: { source, offset: 0 } });
}

interface Defined {
  readonly name: string;
  readonly nodes: readonly Node[];
  readonly at: Position;
}

/** An empty body takes no other's place: files often hold definitions alone. */
function addTemplate(
  defined: Map<string, readonly Node[]>,
  { name, nodes, at }: Defined,
): Map<string, readonly Node[]> {
  const before = defined.get(name);
  if (before !== undefined && !isEmpty(before) && !isEmpty(nodes))
    throw templateError(at, `template "${name}" is defined twice`);
  return before === undefined || !isEmpty(nodes) ? defined.set(name, nodes) : defined;
}

export function isEmpty(nodes: readonly Node[]): boolean {
  return nodes.every((node) => node.kind === 'text' && node.text.trim() === '');
}

function parseList(parser: Parser): List {
  const nodes: Node[] = [];
  for (let step = parser.pieces.next(); step.done !== true; step = parser.pieces.next()) {
    const piece = step.value;
    if (piece.kind === 'text') {
      nodes.push(piece);
      continue;
    }
    const reader = createTokenReader(piece.at, piece.tokens);
    const keyword = keywordOf(reader.peek());
    if (keyword === 'end' || keyword === 'else') {
      reader.next();
      if (keyword === 'end') requireEnd(reader);
      return { nodes, closing: { kind: keyword, at: piece.at, rest: reader } };
    }
    const node = parseAction(parser, reader, keyword);
    if (node !== undefined) nodes.push(node);
  }
  return { nodes, closing: { kind: 'file', at: parser.end, rest: createTokenReader(parser.end, []) } };
}

const KEYWORDS = new Set(['if', 'with', 'range', 'else', 'end', 'template', 'define', 'block', 'break', 'continue']);

function keywordOf(token: Token | undefined): string | undefined {
  return token?.kind === 'word' && KEYWORDS.has(token.text) ? token.text : undefined;
}

function parseAction(parser: Parser, reader: TokenReader, keyword: string | undefined): Node | undefined {
  const { at } = reader;
  if (keyword === undefined) return { kind: 'action', at, pipeline: parsePipeline(reader, parser) };
  reader.next();
  switch (keyword) {
    case 'if':
    case 'with':
    case 'range':
      return parseBranch(parser, reader, keyword);
    case 'template':
      return { kind: 'template', at, ...parseCall(parser, reader) };
    case 'define':
      parseDefinition(parser, reader, readName(reader));
      return undefined;
    case 'block': {
      const call = parseCall(parser, reader);
      parseDefinition(parser, createTokenReader(at, []), call.name);
      return { kind: 'template', at, ...call };
    }
    default:
      requireEnd(reader);
      if (parser.loops === 0) throw templateError(at, `"${keyword}" outside of range`);
      return { kind: keyword === 'break' ? 'break' : 'continue', at };
  }
}

function parseBranch(parser: Parser, reader: TokenReader, kind: Branch['kind']): Branch {
  const { at } = reader;
  parser.nesting += 1;
  if (parser.nesting > MAX_NESTING) throw templateError(at, `more than ${MAX_NESTING} levels of nesting`);
  const visible = parser.variables.length;
  const pipeline = parsePipeline(reader, parser, kind === 'range' ? 2 : 1);
  const inner = parser.variables.length;
  parser.loops += kind === 'range' ? 1 : 0;
  const list = parseList(parser);
  parser.loops -= kind === 'range' ? 1 : 0;
  parser.variables.length = inner;
  const otherwise = parseElse(parser, { kind, at, closing: list.closing });
  parser.variables.length = visible;
  parser.nesting -= 1;
  return { kind, at, pipeline, body: list.nodes, otherwise };
}

interface Ended {
  readonly kind: Branch['kind'];
  readonly at: Position;
  readonly closing: Closing;
}

/** `else if` and `else with` are a branch within `else`, closed by the one `end`. */
function parseElse(parser: Parser, { kind, at, closing }: Ended): readonly Node[] {
  if (closing.kind === 'end') return [];
  if (closing.kind === 'file') throw templateError(at, `"${kind}" has no "end"`);
  const again = closing.rest.peek();
  if (kind !== 'range' && again?.kind === 'word' && again.text === kind) {
    closing.rest.next();
    return [parseBranch(parser, closing.rest, kind)];
  }
  requireEnd(closing.rest);
  const list = parseList(parser);
  if (list.closing.kind === 'else') throw templateError(list.closing.at, 'a second "else"');
  if (list.closing.kind === 'file') throw templateError(at, `"${kind}" has no "end"`);
  return list.nodes;
}

function parseCall(parser: Parser, reader: TokenReader): { name: string; pipeline: Branch['pipeline'] | undefined } {
  const name = readName(reader);
  return { name, pipeline: reader.peek() === undefined ? undefined : parsePipeline(reader, parser) };
}

/** Variables outside are not seen inside. */
function parseDefinition(parser: Parser, reader: TokenReader, name: string): void {
  requireEnd(reader);
  if (parser.nesting > MAX_NESTING) throw templateError(reader.at, `more than ${MAX_NESTING} levels of nesting`);
  const inner: Parser = { ...parser, variables: ['$'], loops: 0, nesting: parser.nesting + 1 };
  const { nodes, closing } = parseList(inner);
  if (closing.kind !== 'end') throw templateError(reader.at, `template "${name}" has no "end"`);
  addTemplate(parser.defined, { name, nodes, at: reader.at });
}

function readName(reader: TokenReader): string {
  const token = reader.next();
  if (token?.kind === 'literal' && typeof token.value === 'string') return token.value;
  throw templateError(token?.at ?? reader.at, 'the name of a template is missing: "name" in quotes');
}

function requireEnd(reader: TokenReader): void {
  const token = reader.peek();
  if (token === undefined) return;
  const text = token.at.source.text.slice(token.at.offset, token.end);
  throw templateError(token.at, isSymbol(token, ')') ? 'unexpected ")"' : `unexpected "${text}"`);
}
