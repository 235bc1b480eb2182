/** Built objects -> one YAML stream, or plain values. */

import { type BuildOptions, build } from './build/build.ts';
import type { Json } from './patch/json-patch.ts';
import { toJson } from './yaml/json.ts';
import type { MapNode } from './yaml/node.ts';
import { renderNode } from './yaml/render-node.ts';

/** YAML documents divided by `---`, byte for byte as `kubectl kustomize` prints them. */
export function renderYaml(nodes: readonly MapNode[]): string {
  return nodes.map((node) => renderNode(node)).join('---\n');
}

/** Plain JSON values, as a Kubernetes client takes them. */
export function toObjects(nodes: readonly MapNode[]): Json[] {
  return nodes.map((node) => toJson(node));
}

/** Builds a directory and prints it: what `kubectl kustomize DIR` prints. */
export function buildToYaml(directory: string, options: Omit<BuildOptions, 'directory'> = {}): string {
  return renderYaml(build({ ...options, directory }).nodes);
}
