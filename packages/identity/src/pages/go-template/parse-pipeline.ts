/** Owns the grammar inside an action: variables, pipelines, commands, operands. */
import type { Position } from './source.ts';
import { templateError } from './source.ts';
import type { Command, Operand, Pipeline } from './syntax.ts';
import type { Token } from './tokens.ts';

/** What a name in a template may mean where it stands. */
export interface Names {
  readonly functions: ReadonlySet<string>;
  /** Variables that are visible, the innermost last. */
  readonly variables: string[];
}

/** Functions that escape. As the last of a pipeline they leave it to the page, which knows for what. */
export const ESCAPERS: ReadonlySet<string> = new Set(['html', 'urlquery']);

const MAX_DEPTH = 100;

/** Reads the tokens of one action from the left. */
export interface TokenReader {
  readonly at: Position;
  next(): Token | undefined;
  peek(ahead?: number): Token | undefined;
  /** Where the token that was read last ends. */
  end(): number;
  /** Parentheses that are open. */
  depth: number;
}

export function createTokenReader(at: Position, tokens: readonly Token[]): TokenReader {
  let index = 0;
  return {
    at,
    next: () => tokens[index++],
    peek: (ahead = 0) => tokens[index + ahead],
    end: () => tokens[index - 1]?.end ?? at.offset,
    depth: 0,
  };
}

export function isSymbol(token: Token | undefined, text: string): boolean {
  return token?.kind === 'symbol' && token.text === text;
}

/** Everything up to the end of the action. `most` is how many variables may be declared. */
export function parsePipeline(reader: TokenReader, names: Names, most = 1): Pipeline {
  const { variables, declares } = parseVariables(reader, names, most);
  const pipeline = parseCommands(reader, names, undefined);
  // Visible from the next action on, not in its own value.
  if (declares) names.variables.push(...variables);
  return { ...pipeline, variables, declares };
}

function parseVariables(
  reader: TokenReader,
  names: Names,
  most: number,
): { readonly variables: readonly string[]; readonly declares: boolean } {
  const count = isSymbol(reader.peek(1), ',') ? 2 : 1;
  const operator = reader.peek(count * 2 - 1);
  const declares = isSymbol(operator, ':=');
  if (!declares && !isSymbol(operator, '=')) return { variables: [], declares: false };
  if (count > most) throw templateError(operator?.at ?? reader.at, 'too many variables: only range sets two');
  const variables: string[] = [];
  for (let index = 0; index < count; index += 1) {
    const token = reader.next();
    reader.next();
    if (token?.kind !== 'variable' || token.path.length > 0) throw unexpected(token, reader, 'a variable');
    if (!declares) requireVariable(token.name, names, token.at);
    variables.push(token.name);
  }
  return { variables, declares };
}

function requireVariable(name: string, { variables }: Names, at: Position): void {
  if (name !== '$' && !variables.includes(name)) throw templateError(at, `undefined variable "${name}"`);
}

/** `closing` is the parenthesis that ends it; the end of the action otherwise. */
function parseCommands(reader: TokenReader, names: Names, closing: Token | undefined): Pipeline {
  const start = reader.peek()?.at ?? reader.at;
  const commands: Command[] = [];
  for (;;) {
    commands.push(parseCommand(reader, names, commands.length > 0));
    const token = reader.next();
    if (isSymbol(token, '|')) {
      refuseEscaper(commands.at(-1));
      continue;
    }
    if (closing === undefined ? token !== undefined : !isSymbol(token, ')')) {
      throw unexpected(token, reader, closing === undefined ? 'the end of the action' : '")"');
    }
    return { at: start, variables: [], declares: false, commands };
  }
}

/** The page escapes what it gets; what was escaped before and changed after would be wrong twice. Go refuses it too. */
function refuseEscaper(command: Command | undefined): void {
  if (command?.first.kind !== 'function' || !ESCAPERS.has(command.first.name)) return;
  throw templateError(command.at, `"${command.first.name}" must come last in a pipeline`);
}

function parseCommand(reader: TokenReader, names: Names, isPiped: boolean): Command {
  const first = parseOperand(reader, names);
  const args: Operand[] = [];
  for (let token = reader.peek(); token !== undefined; token = reader.peek()) {
    if (isSymbol(token, '|') || isSymbol(token, ')')) break;
    args.push(parseOperand(reader, names));
  }
  if (first.kind !== 'function' && (args.length > 0 || isPiped)) {
    throw templateError(first.at, 'only a function takes arguments, and this is none');
  }
  return { at: first.at, first, args };
}

function parseOperand(reader: TokenReader, names: Names): Operand {
  const token = reader.next();
  if (token === undefined) throw unexpected(token, reader, 'a value');
  const operand = isSymbol(token, '(') ? parseGroup(reader, names, token) : readOperand(token, names);
  if (operand === undefined) throw unexpected(token, reader, 'a value');
  const follower = reader.peek();
  // `.A .B` are two values, `.A.B` is one, `"a""b"` is none.
  if (isGlued(follower, reader) && (follower?.kind !== 'symbol' || /[.(]/.test(follower.text))) {
    throw templateError(follower?.at ?? token.at, 'a space is missing before this');
  }
  return operand;
}

function isGlued(token: Token | undefined, reader: TokenReader): boolean {
  return token !== undefined && token.at.offset === reader.end();
}

/** `(…)`, and the fields of its value: `(index .Connectors 0).Name`. */
function parseGroup(reader: TokenReader, names: Names, open: Token): Operand {
  reader.depth += 1;
  if (reader.depth > MAX_DEPTH) throw templateError(open.at, `more than ${MAX_DEPTH} levels of nesting`);
  const pipeline = parseCommands(reader, names, open);
  reader.depth -= 1;
  const follower = reader.peek();
  const path = follower?.kind === 'field' && isGlued(follower, reader) ? follower.path : [];
  if (path.length > 0) reader.next();
  return { kind: 'pipeline', at: open.at, pipeline, path };
}

function readOperand(token: Token, names: Names): Operand | undefined {
  const { at } = token;
  switch (token.kind) {
    case 'literal':
      return { kind: 'literal', at, value: token.value };
    case 'field':
      return { kind: 'field', at, path: token.path };
    case 'variable':
      requireVariable(token.name, names, at);
      return { kind: 'variable', at, name: token.name, path: token.path };
    case 'symbol':
      return token.text === '.' ? { kind: 'dot', at } : undefined;
    case 'word':
      return readWord(token.text, names, at);
  }
}

function readWord(word: string, { functions }: Names, at: Position): Operand {
  if (word === 'true' || word === 'false') return { kind: 'literal', at, value: word === 'true' };
  if (word === 'nil') return { kind: 'nil', at };
  if (!functions.has(word)) throw templateError(at, `function "${word}" is not defined`);
  return { kind: 'function', at, name: word };
}

function unexpected(token: Token | undefined, { at }: TokenReader, wanted: string): Error {
  const found = token === undefined ? 'end of the action' : `"${textOf(token)}"`;
  return templateError(token?.at ?? at, `unexpected ${found}, ${wanted} was expected`);
}

function textOf({ at, end }: Token): string {
  return at.source.text.slice(at.offset, end);
}
