/** Owns the writing of status by controllers: only what changed, and only to the object that was looked at. */
import { isKubeError } from '@kfctl/kube';
import type { KubeObject, ResourceType } from '@kfctl/kube';
import type { ControllerDeps } from '../controller.ts';
import { canonicalJson } from './template.ts';

/** Merges fields into the status; `null` removes one. Nothing is sent when all of it is known. */
export async function writeStatus<T extends KubeObject & { status?: unknown }>(
  { client }: ControllerDeps,
  type: ResourceType<T>,
  { object, status }: { readonly object: T; readonly status: Readonly<Record<string, unknown>> },
): Promise<void> {
  const present = (object.status ?? {}) as Readonly<Record<string, unknown>>;
  const isKnown = Object.entries(status).every(
    ([field, value]) => canonicalJson(value ?? null) === canonicalJson(present[field] ?? null),
  );
  if (isKnown) return;
  const { name = '', namespace, uid } = object.metadata;
  const body = { metadata: { uid }, status };
  const place = namespace === undefined ? {} : { namespace };
  try {
    await client.patch(type, name, { ...place, subresource: 'status', patch: { kind: 'merge', body } });
  } catch (error) {
    if (!isKubeError(error, 'NotFound', 'Conflict')) throw error;
  }
}
