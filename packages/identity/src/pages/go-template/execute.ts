/** Owns the running of templates over data. What they write goes to a page that escapes it for where it stands. */
import { BUILTINS, LAZY } from './builtins.ts';
import type { TemplateFunction } from './builtins.ts';
import { ESCAPERS } from './parse-pipeline.ts';
import { templateError } from './source.ts';
import type { Position } from './source.ts';
import type { Branch, Command, Node, Operand, Pipeline, TemplateSet } from './syntax.ts';
import { describe, fieldOf, isList, isMap, isTrue, sortedEntries } from './values.ts';
import type { Value } from './values.ts';

/** Where templates write. */
export interface Output {
  /** The template's own words. */
  text(text: string, at: Position): void;
  /** Data. `escaper` names the last function of the pipeline where it is one that escapes: `html` or `urlquery`. */
  value(value: Value, at: Position, escaper: string | undefined): void;
}

export interface Program {
  readonly templates: TemplateSet;
  /** Beside the built-in ones. */
  readonly functions: Readonly<Record<string, TemplateFunction>>;
}

/** Templates are trusted, and people make mistakes: these end what does not end by itself. */
const MAX_STEPS = 200_000;
const MAX_DEPTH = 100;

interface Run extends Program {
  readonly output: Output;
  steps: number;
  depth: number;
}

/** Variables by name; those outside are seen, and set, from inside. */
interface Scope {
  readonly variables: Map<string, Value>;
  readonly outer: Scope | undefined;
}

type Ending = 'break' | 'continue' | undefined;

export function executeTemplate(
  program: Program,
  name: string,
  { data, output }: { data: Value; output: Output },
): void {
  const body = program.templates.get(name);
  if (body === undefined) throw new TypeError(`no template ${name}`);
  const run: Run = { ...program, output, steps: 0, depth: 0 };
  runList(run, body, { dot: data, scope: { variables: new Map([['$', data]]), outer: undefined } });
}

interface Place {
  readonly dot: Value;
  readonly scope: Scope;
}

function runList(run: Run, nodes: readonly Node[], place: Place): Ending {
  for (const node of nodes) {
    const ending = runNode(run, node, place);
    if (ending !== undefined) return ending;
  }
  return undefined;
}

function runNode(run: Run, node: Node, place: Place): Ending {
  countStep(run, node.at);
  switch (node.kind) {
    case 'text':
      run.output.text(node.text, node.at);
      return undefined;
    case 'action':
      runAction(run, node.pipeline, place);
      return undefined;
    case 'template':
      callTemplate(run, node, place);
      return undefined;
    case 'if':
    case 'with':
      return runBranch(run, node, place);
    case 'range':
      return runRange(run, node, place);
    case 'break':
    case 'continue':
      return node.kind;
  }
}

function countStep(run: Run, at: Position): void {
  run.steps += 1;
  if (run.steps > MAX_STEPS) throw templateError(at, `more than ${MAX_STEPS} steps: does it end?`);
}

function runAction(run: Run, pipeline: Pipeline, place: Place): void {
  if (pipeline.variables.length > 0) return setVariables(pipeline, [evaluate(run, pipeline, place)], place.scope);
  const last = pipeline.commands.at(-1);
  if (last?.first.kind !== 'function' || !ESCAPERS.has(last.first.name))
    return run.output.value(evaluate(run, pipeline, place), pipeline.at, undefined);
  const first: Operand = { ...last.first, name: 'print' };
  const commands = [...pipeline.commands.slice(0, -1), { ...last, first }];
  run.output.value(evaluate(run, { ...pipeline, commands }, place), pipeline.at, last.first.name);
}

function setVariables({ variables, declares }: Pipeline, values: readonly Value[], scope: Scope): void {
  variables.forEach((name, index) => {
    const owner = declares ? scope : ownerOf(name, scope);
    owner.variables.set(name, values[index]);
  });
}

// The parser has seen that there is one.
function ownerOf(name: string, scope: Scope): Scope {
  for (let one: Scope | undefined = scope; one !== undefined; one = one.outer) if (one.variables.has(name)) return one;
  return scope;
}

function inner(scope: Scope): Scope {
  return { variables: new Map(), outer: scope };
}

function callTemplate(run: Run, { name, pipeline, at }: Extract<Node, { kind: 'template' }>, place: Place): void {
  const body = run.templates.get(name);
  if (body === undefined) throw templateError(at, `there is no template "${name}"`);
  if (run.depth >= MAX_DEPTH) throw templateError(at, `templates call each other more than ${MAX_DEPTH} deep`);
  const dot = pipeline && evaluate(run, pipeline, place);
  run.depth += 1;
  runList(run, body, { dot, scope: { variables: new Map([['$', dot]]), outer: undefined } });
  run.depth -= 1;
}

function runBranch(run: Run, { kind, pipeline, body, otherwise }: Branch, { dot, scope }: Place): Ending {
  const own = inner(scope);
  const value = evaluate(run, pipeline, { dot, scope: own });
  setVariables(pipeline, [value], own);
  if (!isTrue(value)) return runList(run, otherwise, { dot, scope: inner(own) });
  return runList(run, body, { dot: kind === 'with' ? value : dot, scope: inner(own) });
}

function runRange(run: Run, { pipeline, body, otherwise }: Branch, { dot, scope }: Place): Ending {
  const own = inner(scope);
  const entries = entriesOf(evaluate(run, pipeline, { dot, scope: own }), pipeline.at);
  let count = 0;
  for (const [key, value] of entries) {
    count += 1;
    countStep(run, pipeline.at);
    setVariables(pipeline, pipeline.variables.length === 1 ? [value] : [key, value], own);
    if (runList(run, body, { dot: value, scope: inner(own) }) === 'break') break;
  }
  return count === 0 ? runList(run, otherwise, { dot, scope: inner(own) }) : undefined;
}

function entriesOf(value: Value, at: Position): Iterable<readonly [Value, Value]> {
  if (value === undefined) return [];
  if (isList(value)) return value.entries();
  if (isMap(value)) return sortedEntries(value);
  if (typeof value === 'number' && Number.isInteger(value)) return countTo(value);
  throw templateError(at, `range does not go over ${describe(value)}`);
}

function* countTo(end: number): Iterable<readonly [Value, Value]> {
  for (let index = 0; index < end; index += 1) yield [index, index];
}

function evaluate(run: Run, { commands }: Pipeline, place: Place): Value {
  let value: Value;
  commands.forEach((command, index) => {
    value = runCommand(run, command, { place, piped: index === 0 ? [] : [value] });
  });
  return value;
}

interface Context {
  readonly place: Place;
  /** The value of the command before, which becomes the last argument. */
  readonly piped: readonly Value[];
}

function runCommand(run: Run, { first, args, at }: Command, { place, piped }: Context): Value {
  countStep(run, at);
  if (first.kind !== 'function') return operandValue(run, first, place);
  const { name } = first;
  if (LAZY.has(name)) return decide(run, name, { at, place, args, piped });
  const known = Object.hasOwn(run.functions, name) ? run.functions[name] : BUILTINS[name];
  if (known === undefined) throw templateError(at, `function "${name}" is not defined`);
  const values = [...args.map((arg) => operandValue(run, arg, place)), ...piped];
  requireCount(name, { values, at }, known);
  return known.call(values, at);
}

function requireCount(
  name: string,
  { values, at }: { readonly values: readonly Value[]; readonly at: Position },
  { least, most }: TemplateFunction,
): void {
  if (values.length >= least && values.length <= most) return;
  const wanted =
    most === least ? String(least) : most === Number.POSITIVE_INFINITY ? `${least} or more` : `${least} to ${most}`;
  throw templateError(at, `${name} takes ${wanted} arguments, not ${values.length}`);
}

interface Decision extends Context {
  readonly at: Position;
  readonly args: readonly Operand[];
}

/** The first argument that decides; those behind it are not evaluated. */
function decide(run: Run, name: string, { at, place, args, piped }: Decision): Value {
  const thunks = [...args.map((arg) => () => operandValue(run, arg, place)), ...piped.map((value) => () => value)];
  if (thunks.length === 0) throw templateError(at, `${name} takes 1 or more arguments, not 0`);
  let value: Value;
  for (const thunk of thunks) {
    value = thunk();
    if (isTrue(value) === (name === 'or')) break;
  }
  return value;
}

function operandValue(run: Run, operand: Operand, place: Place): Value {
  const { at } = operand;
  const follow = (value: Value, path: readonly string[]): Value =>
    path.reduce((one, name) => fieldOf(one, name, at), value);
  switch (operand.kind) {
    case 'dot':
      return place.dot;
    case 'nil':
      return undefined;
    case 'literal':
      return operand.value;
    case 'field':
      return follow(place.dot, operand.path);
    case 'variable':
      return follow(ownerOf(operand.name, place.scope).variables.get(operand.name), operand.path);
    case 'function':
      return runCommand(run, { first: operand, args: [], at }, { place, piped: [] });
    case 'pipeline':
      return follow(evaluate(run, operand.pipeline, place), operand.path);
  }
}
