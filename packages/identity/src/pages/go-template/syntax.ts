/** Owns the shape of a parsed template: what pkg.go.dev/text/template describes, and nothing of how it is run. */
import type { Position } from './source.ts';

export type Node =
  | { readonly kind: 'text'; readonly at: Position; readonly text: string }
  | { readonly kind: 'action'; readonly at: Position; readonly pipeline: Pipeline }
  | Branch
  | {
      readonly kind: 'template';
      readonly at: Position;
      readonly name: string;
      /** Undefined: the called template has no dot. */
      readonly pipeline: Pipeline | undefined;
    }
  | { readonly kind: 'break' | 'continue'; readonly at: Position };

export interface Branch {
  readonly kind: 'if' | 'with' | 'range';
  readonly at: Position;
  readonly pipeline: Pipeline;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

export interface Pipeline {
  readonly at: Position;
  /** Names with their `$`; of `range` up to two. */
  readonly variables: readonly string[];
  /** `=` sets variables that are there, `:=` makes new ones. */
  readonly declares: boolean;
  readonly commands: readonly Command[];
}

/** A function or a value, and what it is called with. */
export interface Command {
  readonly at: Position;
  readonly first: Operand;
  readonly args: readonly Operand[];
}

export type Operand = { readonly at: Position } & (
  | { readonly kind: 'dot' }
  | { readonly kind: 'nil' }
  | { readonly kind: 'literal'; readonly value: string | number | boolean }
  | { readonly kind: 'field'; readonly path: readonly string[] }
  | { readonly kind: 'variable'; readonly name: string; readonly path: readonly string[] }
  | { readonly kind: 'function'; readonly name: string }
  | { readonly kind: 'pipeline'; readonly pipeline: Pipeline; readonly path: readonly string[] }
);

/** Templates by name: each file, and what files define. */
export type TemplateSet = ReadonlyMap<string, readonly Node[]>;
