/** Owns the apply of one object: server-side, honest about whether anything changed, and respectful of other owners' fields. */
import { isDeepStrictEqual } from 'node:util';
import { createBackoff, delay, describeError } from '@kfctl/core';
import { isKubeError } from '@kfctl/kube';
import type { KubeClient, UnknownObject } from '@kfctl/kube';
import { kfctlError } from '../errors.ts';
import { describeId } from '../plan/object-id.ts';
import type { ObjectId } from '../plan/object-id.ts';
import type { PlannedObject } from '../plan/plan.ts';
import { conflictsOf, withoutFields } from './conflict.ts';
import type { FieldConflict } from './conflict.ts';
import { FIELD_MANAGER, isOurs, withOwner } from './ownership.ts';
import type { Ownership } from './ownership.ts';
import { isTransient } from './transient.ts';

export type Action = 'created' | 'configured' | 'unchanged';

export interface AppliedObject {
  readonly id: ObjectId;
  readonly application: string;
  readonly action: Action;
  /** Fields that were left to their owners. */
  readonly kept: readonly FieldConflict[];
  /** The object as the server has it now. */
  readonly live: UnknownObject;
}

export interface ApplyContext {
  readonly client: Pick<KubeClient, 'apply'>;
  /** Whose mark new objects get, and whose objects are ours. */
  readonly ownership: Ownership;
  /** Take fields from other managers. */
  readonly force: boolean;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  /** Milliseconds during which a failure that can heal is retried. */
  readonly retryMs: number;
}

/** Applies one planned object over `before`, what the server had when the plan was made. */
export async function applyObject(
  planned: PlannedObject,
  before: UnknownObject | undefined,
  context: ApplyContext,
): Promise<AppliedObject> {
  const { id, application } = planned;
  const { ownership } = context;
  const ours = before === undefined || isOurs(before, ownership);
  const wanted = ours ? withOwner(planned.object, ownership.deployment) : planned.object;
  const apply = (): Promise<Written> => applyRespecting({ ...planned, object: wanted }, context);
  const { live, kept } = await retryTransient(apply, context).catch((cause: unknown): Written => {
    // A dry run meets kinds and namespaces that only a real run makes.
    if (context.dryRun && before === undefined && isKubeError(cause, 'NotFound')) return { live: wanted, kept: [] };
    throw kfctlError('APPLY_FAILED', `cannot apply ${describeId(id)} of application ${application}`, { cause });
  });
  return { id, application, kept, live, action: actionOf(before, live, context.dryRun) };
}

function actionOf(before: UnknownObject | undefined, after: UnknownObject, dryRun: boolean): Action {
  if (before === undefined || before.metadata.uid !== after.metadata.uid) return 'created';
  // The answer to a dry run may carry the version that is there, whatever would change.
  if (!dryRun && before.metadata.resourceVersion === after.metadata.resourceVersion) return 'unchanged';
  // A controller may have written status since the plan was made: only what we could have changed counts.
  return isDeepStrictEqual(comparable(before), comparable(after)) ? 'unchanged' : 'configured';
}

function comparable(object: UnknownObject): unknown {
  const { status: _status, metadata, ...rest } = object;
  const { resourceVersion: _version, managedFields: _fields, generation: _generation, ...meta } = metadata;
  return { ...rest, metadata: meta };
}

interface Written {
  readonly live: UnknownObject;
  readonly kept: readonly FieldConflict[];
}

async function applyRespecting(planned: PlannedObject, context: ApplyContext): Promise<Written> {
  const { client, dryRun, force } = context;
  const options = { fieldManager: FIELD_MANAGER, dryRun, force };
  try {
    return { live: await client.apply(planned.type, planned.object, options), kept: [] };
  } catch (error) {
    const kept = conflictsOf(error);
    const reduced = kept === undefined ? undefined : withoutFields(planned.object, kept);
    if (kept === undefined || reduced === undefined) throw error;
    return { live: await client.apply(planned.type, reduced, options), kept };
  }
}

/** Repeats what can heal, within the context's bound; everything else fails at once. */
export async function retryTransient<T>(
  deed: () => Promise<T>,
  { retryMs, signal }: Pick<ApplyContext, 'retryMs' | 'signal'>,
): Promise<T> {
  const backoff = createBackoff({ initialMs: 100, maxMs: 2000 });
  const deadline = Date.now() + retryMs;
  for (;;) {
    try {
      return await deed();
    } catch (error) {
      const pause = backoff.next();
      if (!isTransient(error) || signal.aborted || Date.now() + pause > deadline) throw error;
      await delay(pause, signal);
      if (signal.aborted) throw new Error(`interrupted while retrying: ${describeError(error)}`, { cause: error });
    }
  }
}
