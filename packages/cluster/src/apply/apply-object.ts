/** Owns server-side apply. */
import { applyMergePatch } from '../patch/merge-patch.ts';
import { createObject } from '../registry/create-object.ts';
import type { PatchOutcome } from '../registry/patch-object.ts';
import type { RegistryDeps, Target } from '../registry/registry-deps.ts';
import type { RequestContext } from '../registry/request-context.ts';
import { updateObject } from '../registry/update-object.ts';

export interface ApplyRequest {
  readonly patch: unknown;
  readonly context: RequestContext;
  readonly force: boolean;
}

/** Creates or changes the object so that it has what the applied configuration says. */
export function applyObject(deps: RegistryDeps, target: Target, { patch, context }: ApplyRequest): PatchOutcome {
  if (deps.store.get(target.served.definition.table, target.namespace, target.name) === undefined) {
    return { object: createObject(deps, target, { body: patch, context, name: target.name }), created: true };
  }
  return { object: updateObject(deps, target, { context, produce: (current) => applyMergePatch(current, patch) }), created: false };
}
