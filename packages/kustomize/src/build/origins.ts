/** Build metadata: where objects come from and which transformers they went through, in the reference's words. */

import { join } from 'node:path';
import type { Resource } from '../resource/resource.ts';
import type { Step } from './accumulate.ts';

/** Origin of what a field of the kustomization file made or changed. */
export function configuredBy({ origin, kustomization }: Step, kind: string): string {
  const file = join(origin, kustomization.fileName);
  return `configuredIn: ${file}\nconfiguredBy:\n  apiVersion: builtin\n  kind: ${kind}\n`;
}

/** Notes the origin of objects that have none yet. */
export function recordOrigin({ context }: Step, origin: string, resources: readonly Resource[]): void {
  if (!context.tracksOrigins) return;
  for (const resource of resources) resource.origin ??= origin;
}

export function recordTransformation(step: Step, kind: string, resources: readonly Resource[]): void {
  if (!step.context.tracksOrigins) return;
  for (const resource of resources) {
    if (resource.origin === undefined) resource.origin = configuredBy(step, kind);
    else resource.transformations.push(configuredBy(step, kind));
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
