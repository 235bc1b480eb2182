/** Owns the four kinds of patch as changes of an object. */
import { applyJsonPatch } from '../patch/json-patch.ts';
import { applyMergePatch } from '../patch/merge-patch.ts';
import { applyStrategicPatch } from '../patch/strategic-patch.ts';
import type { JsonObject } from '../schema/json.ts';
import { applyObject } from '../apply/apply-object.ts';
import type { PatchOutcome, RegistryDeps, Target } from './registry-deps.ts';
import type { RequestContext } from './request-context.ts';
import { unsupportedMediaType } from './status-error.ts';
import { updateObject } from './update-object.ts';

export type PatchKind = 'json' | 'merge' | 'strategic' | 'apply';

export interface PatchRequest {
  readonly kind: PatchKind;
  readonly patch: unknown;
  readonly context: RequestContext;
  /** Server-side apply: take fields over from other managers. */
  readonly force?: boolean;
}

export function patchObject(deps: RegistryDeps, target: Target, request: PatchRequest): PatchOutcome {
  const { kind, patch, context } = request;
  if (kind === 'apply') return applyObject(deps, target, { patch, context, force: request.force === true });
  const { definition, version } = target.served;
  if (kind === 'strategic' && definition.customResource) {
    throw unsupportedMediaType(
      'the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml',
    );
  }
  const produce = (current: JsonObject): unknown => {
    if (kind === 'json') return applyJsonPatch(current, patch);
    return kind === 'merge' ? applyMergePatch(current, patch) : applyStrategicPatch(current, patch, version.schema);
  };
  return { object: updateObject(deps, target, { context, produce }), created: false };
}
