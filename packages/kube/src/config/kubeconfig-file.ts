/** Owns reading and merging of kubeconfig files as kubectl merges them: the first file to name something wins. */
import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { AppError } from '@kfctl/core';
import { parseYaml } from '../yaml/yaml.ts';

export type Fields = Readonly<Record<string, unknown>>;

/** One named entry and the directory that its relative paths start from. */
export interface KubeconfigEntry {
  readonly fields: Fields;
  readonly directory: string;
}

export interface Kubeconfig {
  readonly clusters: ReadonlyMap<string, KubeconfigEntry>;
  readonly users: ReadonlyMap<string, KubeconfigEntry>;
  readonly contexts: ReadonlyMap<string, KubeconfigEntry>;
  readonly currentContext: string;
  readonly paths: readonly string[];
}

/** The files' union, or undefined when none exists. A file that was asked for by name must exist. */
export async function readKubeconfigFiles(
  paths: readonly string[],
  required: boolean,
): Promise<Kubeconfig | undefined> {
  const clusters = new Map<string, KubeconfigEntry>();
  const users = new Map<string, KubeconfigEntry>();
  const contexts = new Map<string, KubeconfigEntry>();
  const found: string[] = [];
  let currentContext = '';
  for (const path of paths) {
    const text = await readIfPresent(path, required);
    if (text === undefined) continue;
    found.push(path);
    const file = parseFile(text, path);
    const directory = dirname(resolve(path));
    collect(file['clusters'], 'cluster', { into: clusters, directory });
    collect(file['users'], 'user', { into: users, directory });
    collect(file['contexts'], 'context', { into: contexts, directory });
    if (currentContext === '' && typeof file['current-context'] === 'string') currentContext = file['current-context'];
  }
  return found.length === 0 ? undefined : { clusters, users, contexts, currentContext, paths: found };
}

export function toFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

/** A non-empty string field. */
export function textField(fields: Fields, name: string): string | undefined {
  const value = fields[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

async function readIfPresent(path: string, required: boolean): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (cause) {
    const absent = (cause as NodeJS.ErrnoException).code === 'ENOENT';
    if (absent && !required) return undefined;
    throw new AppError('KUBECONFIG_MISSING', `cannot read the kubeconfig ${path}`, {
      hint: absent ? 'Check the path, or leave it out to use ~/.kube/config.' : 'Check that you may read the file.',
      cause,
    });
  }
}

function parseFile(text: string, path: string): Fields {
  const value = parseYaml(text, { source: path });
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new AppError('KUBECONFIG_INVALID', `${path} is not a kubeconfig: the top level is not a mapping`);
  }
  return value as Fields;
}

interface Collection {
  readonly into: Map<string, KubeconfigEntry>;
  readonly directory: string;
}

function collect(list: unknown, field: string, { into, directory }: Collection): void {
  if (!Array.isArray(list)) return;
  for (const item of list.map(toFields)) {
    const name = textField(item, 'name');
    if (name !== undefined && !into.has(name)) into.set(name, { fields: toFields(item[field]), directory });
  }
}
