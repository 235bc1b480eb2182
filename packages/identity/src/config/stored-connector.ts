/** Owns reading a connector that is kept in the storage, by the rules of the file's, with one exception: `$VAR` means nothing in it. */
import type { Environment } from '@kfctl/core';
import type { ConnectorEntry } from '../connectors/connector.ts';
import type { ConnectorRecord } from '../storage/records.ts';
import { readConnector } from './connector-section.ts';
import { createProblems, describeProblem } from './problems.ts';
import type { YamlNode } from './yaml-tree.ts';

export interface StoredReading {
  /** Absent when there are mistakes. */
  readonly entry: ConnectorEntry | undefined;
  /** Sentences for people, each naming a key and never a value. */
  readonly mistakes: readonly string[];
}

const MAX_DEPTH = 32;

export async function readStoredConnector(
  { id, type, name, config, grantTypes }: ConnectorRecord,
  env: Environment,
): Promise<StoredReading> {
  const value = parseJson(Buffer.from(config, 'base64').toString('utf8'));
  const node = value === undefined ? undefined : toNode({ id, type, name, config: value, grantTypes }, MAX_DEPTH);
  if (node === undefined) return { entry: undefined, mistakes: ['config is not JSON that can be read.'] };
  const problems = createProblems();
  // Whoever may write connectors must not read this process's environment through them.
  const closed = { ...env, DEX_EXPAND_ENV: 'false' };
  const entry = await readConnector(node, { path: '', problems, offset: 0, env: closed, expand: false });
  const mistakes = problems.errors.map(describeProblem);
  return { entry: mistakes.length > 0 ? undefined : entry, mistakes };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** Undefined for what is nested too deeply. */
function toNode(value: unknown, depth: number): YamlNode | undefined {
  if (depth === 0) return undefined;
  if (typeof value !== 'object' || value === null)
    return { kind: 'scalar', text: String(value), plain: typeof value !== 'string', offset: 0 };
  const children = Object.entries(value).map(([key, child]) => ({
    key,
    keyOffset: 0,
    value: toNode(child, depth - 1),
  }));
  if (!children.every(isWhole)) return undefined;
  if (Array.isArray(value)) return { kind: 'list', items: children.map((child) => child.value), offset: 0 };
  return { kind: 'map', entries: children, offset: 0 };
}

interface Child<V> {
  readonly key: string;
  readonly keyOffset: number;
  readonly value: V;
}

function isWhole(child: Child<YamlNode | undefined>): child is Child<YamlNode> {
  return child.value !== undefined;
}
