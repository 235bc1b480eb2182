/** Owns reading and writing of manifests in YAML; js-yaml is loaded at the first use, because most processes never need it. */
import { createRequire } from 'node:module';
import type * as JsYaml from 'js-yaml';
import { AppError } from '@kfctl/core';
import { kubernetesSchema } from './schema.ts';
import { unshare } from './unshare.ts';

const MAX_ALIASES = 10_000;
const MAX_UNFOLDED = 1_000_000;

interface Library {
  readonly yaml: typeof JsYaml;
  readonly schema: JsYaml.Schema;
}

let loaded: Library | undefined;

function library(): Library {
  if (loaded !== undefined) return loaded;
  const yaml = createRequire(import.meta.url)('js-yaml') as typeof JsYaml;
  loaded = { yaml, schema: kubernetesSchema(yaml) };
  return loaded;
}

export interface ParseYamlOptions {
  /** Where the text is from, for messages. */
  readonly source?: string;
}

/** The value of a text with one document (null when it is empty), typed as the API server types it. Throws `YAML_INVALID`. */
export function parseYaml(text: string, options: ParseYamlOptions = {}): unknown {
  const documents = parseYamlAll(text, options);
  if (documents.length > 1) throw invalid(options, 'more than one document');
  return documents[0] ?? null;
}

/** The values of all documents of a text; empty documents are left out. Integers beyond 2^53 become BigInt. */
export function parseYamlAll(text: string, options: ParseYamlOptions = {}): unknown[] {
  const { yaml, schema } = library();
  try {
    const documents = yaml.loadAll(text, { schema, maxAliases: MAX_ALIASES });
    const present = documents.filter((document) => document !== null && document !== undefined);
    return text.includes('*') ? present.map((document) => unshare(document, MAX_UNFOLDED)) : present;
  } catch (cause) {
    throw invalid(options, reasonOf(cause));
  }
}

/** YAML text that readers of YAML 1.1 and 1.2 both read back as this value. */
export function dumpYaml(value: unknown): string {
  return library().yaml.dump(value, { noRefs: true, lineWidth: -1, skipInvalid: true });
}

function invalid({ source }: ParseYamlOptions, reason: string): AppError {
  return new AppError('YAML_INVALID', `${source ?? 'YAML'}: ${reason}`, { hint: 'Correct the YAML and try again.' });
}

/** Place and reason only: the library's own message quotes lines of the text, which may hold secrets. */
function reasonOf(cause: unknown): string {
  if (cause instanceof AppError) return cause.message;
  if (!(cause instanceof Error)) return String(cause);
  const { reason, mark } = cause as Partial<JsYaml.YAMLException>;
  if (reason === undefined) return cause instanceof RangeError ? 'nested too deeply' : cause.message;
  return mark === undefined ? reason : `line ${mark.line + 1}, column ${mark.column + 1}: ${reason}`;
}
