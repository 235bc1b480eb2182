/** Built objects -> standard output, one file, or one file for each object, as `kubectl kustomize -o` writes them. */

import { statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { KustomizeError } from '../errors.ts';
import { isClusterScoped, parseApiVersion } from '../resource/identity.ts';
import { type MapNode, textOf } from '../yaml/node.ts';
import { renderObject } from '../render.ts';

/** Text is handed on in pieces of about this length, so that large results are never in memory twice. */
const pieceLength = 64 * 1024;

/** Prints the documents, divided by `---`. */
export function printNodes(nodes: readonly MapNode[], write: (text: string) => void): void {
  let piece = '';
  for (const [index, node] of nodes.entries()) {
    piece += (index === 0 ? '' : '---\n') + renderObject(node);
    if (piece.length < pieceLength) continue;
    write(piece);
    piece = '';
  }
  if (piece !== '') write(piece);
}

/** Writes to a file; a directory that is there gets one file for each object. */
export function writeNodes(nodes: readonly MapNode[], path: string): void {
  if (isDirectory(path)) return writeFiles(nodes, path);
  const pieces: string[] = [];
  printNodes(nodes, (text) => pieces.push(text));
  writeOne(path, pieces.join(''));
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}

function writeOne(path: string, text: string): void {
  try {
    writeFileSync(path, text);
  } catch (cause) {
    throw new KustomizeError('OUTPUT_FAILED', 'the file cannot be written', { file: path, cause });
  }
}

interface Identity {
  /** Empty for what lives outside namespaces. */
  readonly namespace: string;
  readonly name: string;
}

function identify(node: MapNode): Identity {
  const metadata = node.get('metadata');
  const text = (key: string): string => (metadata?.kind === 'map' ? textOf(metadata.get(key)) : '');
  const type = { ...parseApiVersion(textOf(node.get('apiVersion'))), kind: textOf(node.get('kind')) };
  const parts = [type.group, type.version, type.kind, text('name')];
  const namespace = isClusterScoped(type) ? '' : text('namespace') || 'default';
  return { namespace, name: parts.filter((part) => part !== '').join('_') };
}

/** `[namespace_][group_]version_kind_name.yaml` in lower case; namespaces are named when there is more than one. */
function writeFiles(nodes: readonly MapNode[], directory: string): void {
  const identities = nodes.map((node) => identify(node));
  const namespaces = new Set(identities.map(({ namespace }) => namespace).filter((namespace) => namespace !== ''));
  const written = new Set<string>();
  for (const [index, node] of nodes.entries()) {
    const { namespace = '', name = '' } = identities[index] ?? {};
    const prefix = namespaces.size > 1 && namespace !== '' ? `${namespace}_` : '';
    const file = `${prefix}${name}.yaml`.toLowerCase();
    requireFree(file, written);
    written.add(file);
    writeOne(join(directory, file), renderObject(node));
  }
}

function requireFree(file: string, written: ReadonlySet<string>): void {
  const problem = written.has(file) ? 'two objects would be written to it' : 'its name holds a slash';
  if (!written.has(file) && !/[/\\]/u.test(file)) return;
  throw new KustomizeError('OUTPUT_FAILED', problem, { file, hint: 'write everything to one file: -o all.yaml' });
}
