/** Built objects -> one YAML stream, or plain values. */

import { type BuildOptions, build } from './build/build.ts';
import type { Json } from './patch/json-patch.ts';
import { toJson } from './yaml/json.ts';
import { KustomizeError } from './errors.ts';
import { type MapNode, textOf } from './yaml/node.ts';
import { renderNode } from './yaml/render-node.ts';

/** One object as YAML; a value that cannot be written names its object. */
export function renderObject(node: MapNode): string {
  try {
    return renderNode(node);
  } catch (error) {
    if (!(error instanceof KustomizeError)) throw error;
    const metadata = node.get('metadata');
    const name = textOf(metadata?.kind === 'map' ? metadata.get('name') : undefined);
    throw error.movedTo({ field: `${textOf(node.get('kind'))} ${name}` });
  }
}

/** YAML documents divided by `---`, byte for byte as `kubectl kustomize` prints them. */
export function renderYaml(nodes: readonly MapNode[]): string {
  return nodes.map((node) => renderObject(node)).join('---\n');
}

/** Plain JSON values, as a Kubernetes client takes them. */
export function toObjects(nodes: readonly MapNode[]): Json[] {
  return nodes.map((node) => toJson(node));
}

/** Builds a directory and prints it: what `kubectl kustomize DIR` prints. */
export function buildToYaml(directory: string, options: Omit<BuildOptions, 'directory'> = {}): string {
  return renderYaml(build({ ...options, directory }).nodes);
}
