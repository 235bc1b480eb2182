/** Owns a set of template files that may call each other: parsed once, run as often as pages are asked for. */
import { isAppError } from '@kfctl/core';
import { BUILTINS, LAZY } from './builtins.ts';
import type { TemplateFunction } from './builtins.ts';
import { createPageOutput } from './escape/page-output.ts';
import type { FinishedPage } from './escape/page-output.ts';
import { executeTemplate } from './execute.ts';
import { isEmpty, parseTemplate } from './parse-template.ts';
import type { Source } from './source.ts';
import type { Node, TemplateSet } from './syntax.ts';
import type { Value } from './values.ts';

export interface Templates {
  has(name: string): boolean;
  /** Throws where the template makes a mistake, or data has no safe form where it stands. */
  render(name: string, data: Value, nonce: string): FinishedPage;
}

export interface Compiled {
  readonly templates: Templates;
  /** `header.html:3:14: …`; such a file is left out, whoever calls it says that it is not there. */
  readonly mistakes: readonly string[];
}

/** In the order in which Go reads a directory: by name, the later definition counts. */
export function compileTemplates(
  sources: readonly Source[],
  functions: Readonly<Record<string, TemplateFunction>>,
): Compiled {
  const names = new Set([...Object.keys(BUILTINS), ...LAZY, ...Object.keys(functions)]);
  const templates = new Map<string, readonly Node[]>();
  const files = new Map(sources.map((source) => [source.name, source]));
  const mistakes: string[] = [];
  for (const source of sources) {
    const parsed = parse(source, names, mistakes);
    for (const [name, nodes] of parsed) if (!templates.has(name) || !isEmpty(nodes)) templates.set(name, nodes);
  }
  const render: Templates['render'] = (name, data, nonce) => {
    const output = createPageOutput(nonce);
    executeTemplate({ templates, functions }, name, { data, output });
    return output.finish({ source: files.get(name) ?? { name, text: '' }, offset: 0 });
  };
  return { templates: { has: (name) => templates.has(name), render }, mistakes };
}

function parse(source: Source, names: ReadonlySet<string>, mistakes: string[]): TemplateSet {
  try {
    return parseTemplate(source, names);
  } catch (error) {
    if (!isAppError(error)) throw error;
    mistakes.push(error.message);
    return new Map();
  }
}
