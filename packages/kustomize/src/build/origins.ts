/** Build metadata: where objects come from and which transformers they went through, in the reference's words. */

import { join } from 'node:path';
import type { Resource } from '../resource/resource.ts';
import { emitString } from '../yaml/emit-scalar.ts';
import type { Step } from './accumulate.ts';

function entry(key: string, value: string, indent = 0): string {
  const name = ' '.repeat(indent) + key;
  return `${name}: ${emitString(value, { indent: indent + 2, column: name.length + 2, key: false })}\n`;
}

const fileKey = 'path';

/** Origin of what was read from a file. */
export function readFrom(path: string): string {
  return entry(fileKey, path);
}

/** Origin of what a field of the kustomization file made or changed. */
export function configuredBy(step: Step, kind: string): string {
  return `${configuredHere(step)}configuredBy:\n${entry('apiVersion', 'builtin', 2)}${entry('kind', kind, 2)}`;
}

function configuredHere({ origin, kustomization }: Step): string {
  return entry('configuredIn', join(origin, kustomization.fileName));
}

/** Origin of what a plugin made or changed: its configuration has a name, and may be a file of its own. */
export function configuredByPlugin(step: Step, plugin: Resource): string {
  const ownFile = plugin.origin?.startsWith(`${fileKey}:`) === true ? plugin.origin.slice(fileKey.length) : undefined;
  const where = ownFile === undefined ? configuredHere(step) : `configuredIn${ownFile}`;
  const identity = [
    ['apiVersion', plugin.apiVersion],
    ['kind', plugin.kind],
    ['name', plugin.name],
    ['namespace', plugin.namespace],
  ] as const;
  const entries = identity.map(([key, value]) => (value === '' ? '' : entry(key, value, 2)));
  return `${where}configuredBy:\n${entries.join('')}`;
}

/** Notes the origin of objects that have none yet. */
export function recordOrigin({ context }: Step, origin: string, resources: readonly Resource[]): void {
  if (!context.tracksOrigins) return;
  for (const resource of resources) resource.origin ??= origin;
}

/** Notes what changed the objects; for one without an origin it is the origin. */
export function recordTransformation({ context }: Step, by: string, resources: readonly Resource[]): void {
  if (!context.tracksOrigins) return;
  for (const resource of resources) {
    if (resource.origin === undefined) resource.origin = by;
    else resource.transformations.push(by);
    // The reference writes its note into the annotations, which thereby stop being shared with labels.
    resource.setAnnotations(resource.annotations());
  }
}

/** Writes the notes into the annotations that were asked for. */
export function writeOrigins(resources: readonly Resource[], buildMetadata: readonly string[]): void {
  for (const resource of resources) {
    const annotations = resource.annotations();
    if (buildMetadata.includes('originAnnotations') && resource.origin !== undefined) {
      annotations.set('config.kubernetes.io/origin', resource.origin);
    }
    if (buildMetadata.includes('transformerAnnotations') && resource.transformations.length > 0) {
      const items = resource.transformations.map((text) => `- ${text.trimEnd().replaceAll('\n', '\n  ')}\n`);
      annotations.set('alpha.config.kubernetes.io/transformations', items.join(''));
    }
    resource.setAnnotations(annotations);
  }
}
