/** Owns the execution of a plan: wave after wave, parallel inside a wave, kinds established before they are used. */
import type { KubeClient, ResourceType, UnknownObject } from '@kfctl/kube';
import { kfctlError } from '../errors.ts';
import { describeId, keyOfId } from '../plan/object-id.ts';
import type { PlannedObject } from '../plan/plan.ts';
import { WAVES } from '../plan/waves.ts';
import { applyObject } from './apply-object.ts';
import type { AppliedObject, ApplyContext } from './apply-object.ts';
import { withChecksum } from './checksum.ts';
import { readinessCheck } from './readiness.ts';
import { runBounded } from './run-bounded.ts';
import { READY, waitFor } from './wait-for.ts';
import type { Expectation } from './wait-for.ts';
import { throwIfInterrupted } from './time-limit.ts';

export const PARALLEL = 8;

/** The objects of a plan as they were before the apply, by `keyOfId`. */
export type LiveObjects = ReadonlyMap<string, UnknownObject>;

export interface WavesInput {
  readonly client: KubeClient;
  readonly planned: readonly PlannedObject[];
  readonly before: LiveObjects;
  readonly context: ApplyContext;
  /** What is left of the time for the whole apply. */
  readonly remainingMs: () => number;
  /** Called when the namespaces exist, before anything else is made. */
  readonly onNamespaces: () => Promise<void>;
  readonly onApplied: (applied: AppliedObject, progress: { readonly done: number; readonly total: number }) => void;
}

/** Applies all waves; results in plan order. */
export async function applyWaves(input: WavesInput): Promise<AppliedObject[]> {
  const applied = new Map<string, UnknownObject>();
  const results: AppliedObject[] = [];
  for (const wave of WAVES.keys()) {
    const members = input.planned.filter((planned) => planned.wave === wave);
    const outcome = await applyWave(input, members, { applied, done: results.length });
    results.push(...outcome);
    if (wave === 0) {
      await waitEstablished(input, outcome);
      await input.onNamespaces();
    }
  }
  return results;
}

interface WaveState {
  readonly applied: Map<string, UnknownObject>;
  readonly done: number;
}

async function applyWave(
  input: WavesInput,
  members: readonly PlannedObject[],
  state: WaveState,
): Promise<AppliedObject[]> {
  let { done } = state;
  return runBounded(members, PARALLEL, async (planned) => {
    input.context.signal.throwIfAborted();
    const before = await settled(input, planned);
    const object = withChecksum(planned.object, state.applied);
    const result = await applyObject({ ...planned, object }, before, input.context);
    state.applied.set(keyOfId(planned.id), result.live);
    done += 1;
    input.onApplied(result, { done, total: input.planned.length });
    return result;
  });
}

/** What was there before; an object that is going away is waited for first. */
async function settled(input: WavesInput, planned: PlannedObject): Promise<UnknownObject | undefined> {
  const before = input.before.get(keyOfId(planned.id));
  if (before?.metadata.deletionTimestamp === undefined) return before;
  const gone: Expectation = {
    id: planned.id,
    type: planned.type,
    check: (object) => (object === undefined ? READY : { kind: 'waiting', reason: 'is being deleted' }),
  };
  const left = await waitFor(input.client, [gone], { timeoutMs: input.remainingMs(), signal: input.context.signal });
  throwIfInterrupted(input.context.signal);
  if (left.length > 0) throw kfctlError('NOT_READY', `${describeId(planned.id)} is still being deleted`);
  return undefined;
}

async function waitEstablished(input: WavesInput, applied: readonly AppliedObject[]): Promise<void> {
  if (input.context.dryRun) return;
  const types = new Map(input.planned.map(({ id, type }) => [keyOfId(id), type]));
  const expectations = applied.flatMap(({ id, live }): Expectation[] => {
    const check = readinessCheck(id);
    const type = types.get(keyOfId(id));
    return check === undefined || type === undefined || check(live).kind === 'ready' ? [] : [{ id, type, check }];
  });
  const { signal } = input.context;
  const left = await waitFor(input.client, expectations, { timeoutMs: input.remainingMs(), signal });
  throwIfInterrupted(signal);
  if (left.length > 0) {
    const names = left.map(({ id, readiness }) => `${id.name} ${readiness.kind === 'ready' ? '' : readiness.reason}`);
    throw kfctlError('NOT_READY', `kinds that the platform needs are not served: ${names.join(', ')}`);
  }
}

/** Reads what the cluster has of the planned objects; kinds that are not served yet have nothing. */
export async function readLive(
  client: Pick<KubeClient, 'get'>,
  planned: readonly PlannedObject[],
): Promise<LiveObjects> {
  const found = await runBounded(planned, PARALLEL, async ({ id, type }) => {
    const object = await getObject(client, type, id);
    return object === undefined ? [] : [[keyOfId(id), object] as const];
  });
  return new Map(found.flat());
}

export function getObject(
  client: Pick<KubeClient, 'get'>,
  type: ResourceType,
  id: { readonly name: string; readonly namespace: string },
): Promise<UnknownObject | undefined> {
  return client.get(type, id.name, type.namespaced ? { namespace: id.namespace } : {});
}
