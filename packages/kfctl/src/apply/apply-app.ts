/** Owns `kfctl apply`: build, plan, apply in waves, wait, prune. It prints nothing; it tells a listener. */
import type { Secret } from '@kfctl/core';
import type { KubeClient } from '@kfctl/kube';
import type { App } from '../app/app-directory.ts';
import type { Scope } from '../app/scope.ts';
import { USER_SECRET } from '../credentials/plan-credentials.ts';
import type { Rotation } from '../credentials/rotation.ts';
import { keyOfId } from '../plan/object-id.ts';
import type { PlannedObject } from '../plan/plan.ts';
import type { AppliedObject, ApplyContext } from './apply-object.ts';
import { applyWaves } from './apply-waves.ts';
import { writeClusterRecord } from './cluster-identity.ts';
import { inScopeEntries } from './inventory-scope.ts';
import { mergeEntries, releaseEntries, writeInventory } from './inventory.ts';
import type { InventoryEntry } from './inventory.ts';
import { isOurs } from './ownership.ts';
import { prepareApply } from './prepare-apply.ts';
import type { Prepared } from './prepare-apply.ts';
import { prune } from './prune.ts';
import type { PruneResult } from './prune.ts';
import { withinTime } from './time-limit.ts';
import type { TimeLimit } from './time-limit.ts';
import type { Waiting } from './wait-for.ts';
import { waitReady } from './wait-ready.ts';

export interface ApplyListener {
  stage(text: string): void;
  applied(object: AppliedObject, progress: { readonly done: number; readonly total: number }): void;
  /** What is not ready, and why; told after every change. */
  waiting(pending: readonly Waiting[]): void;
  warn(text: string): void;
  /** A password was made up; it is told as soon as it is in force, so that it cannot be lost. */
  generatedPassword(password: Secret): void;
}

export interface ApplyOptions {
  readonly scope: Scope;
  readonly dryRun: boolean;
  readonly wait: boolean;
  readonly force: boolean;
  /** For all of it. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly password: Secret | undefined;
  /** Credentials to make anew. */
  readonly rotate?: readonly Rotation[];
  /** This is `kfctl up` on its own cluster. */
  readonly local?: boolean;
}

export interface ApplyInput {
  readonly app: App;
  readonly client: KubeClient;
  /** Address of the API server. */
  readonly server: string;
  readonly options: ApplyOptions;
  readonly listener: ApplyListener;
}

export interface ApplyResult {
  readonly applied: readonly AppliedObject[];
  readonly pruned: PruneResult;
  readonly email: string | undefined;
  /** Where the dashboard is. */
  readonly urls: readonly string[];
}

/** Applies an app; throws AppError with what to do. Nothing is written before every object has been judged. */
export async function applyApp(input: ApplyInput): Promise<ApplyResult> {
  const { listener, options } = input;
  let stage = 'building the applications';
  const told: ApplyListener = {
    ...listener,
    stage: (text) => {
      stage = text;
      listener.stage(text);
    },
    applied: (object, progress) => {
      stage = `applying, ${progress.done} of ${progress.total} objects done`;
      listener.applied(object, progress);
    },
  };
  return withinTime({ ...options, stage: () => stage, command: 'apply' }, (limit) =>
    applyWithin(limit, { ...input, listener: told }),
  );
}

async function applyWithin(limit: TimeLimit, input: ApplyInput): Promise<ApplyResult> {
  const prepared = await prepareApply(input);
  const { client, app, options, listener } = input;
  const place = { deployment: app.kfdef.name, namespace: app.kfdef.namespace, local: options.local === true };
  const entries = prepared.planned.map((planned) => toEntry(planned, prepared));
  const context: ApplyContext = {
    client,
    ownership: prepared.ownership,
    force: options.force,
    dryRun: options.dryRun,
    signal: limit.signal,
    retryMs: options.dryRun ? 0 : Math.min(options.timeoutMs, MAX_RETRY_MS),
  };
  if (!options.dryRun) await writeClusterRecord(app.directory, prepared.identity);
  listener.stage(`applying ${prepared.planned.length} objects`);
  const applied = await applyWaves({
    client,
    planned: prepared.planned,
    before: prepared.before,
    context,
    remainingMs: limit.remainingMs,
    onApplied: (object, progress) => {
      const { generatedPassword } = prepared;
      if (!options.dryRun && generatedPassword !== undefined && isUserSecret(object)) {
        listener.generatedPassword(generatedPassword);
      }
      listener.applied(object, progress);
    },
    // What is about to be made is listed first, so that an interrupted apply leaves nothing that delete does not know.
    onNamespaces: async () => {
      if (!options.dryRun) await writeInventory(client, place, mergeEntries(entries, prepared.inventory));
    },
  });
  const vanished = prepared.inventory.filter((entry) => isVanished(entry, { entries, app, scope: options.scope }));
  const pruned = await prune(vanished, { ...prepared, client, deployment: app.kfdef.name, dryRun: options.dryRun });
  if (!options.dryRun) {
    const rest = prepared.inventory.filter((entry) => !vanished.includes(entry));
    const kept = pruned.kept.map(({ entry }) => entry);
    await writeInventory(client, place, mergeEntries(mergeEntries(entries, rest), kept));
    for (const deployment of prepared.ownership.takenOver) {
      await releaseEntries(client, { ...place, deployment, local: true }, entries);
    }
  }
  const urls = options.dryRun ? [] : await waitReady({ ...input, context, limit, planned: prepared.planned });
  return { applied, pruned, email: prepared.email, urls };
}

const MAX_RETRY_MS = 60_000;

function isUserSecret({ id }: AppliedObject): boolean {
  return id.kind === 'Secret' && id.name === USER_SECRET;
}

function toEntry({ id, type, application }: PlannedObject, { before, ownership }: Prepared): InventoryEntry {
  const object = before.get(keyOfId(id));
  const adopted = object !== undefined && !isOurs(object, ownership);
  return { ...id, version: type.version, application, ...(adopted ? { adopted } : {}) };
}

interface Wanted {
  readonly entries: readonly InventoryEntry[];
  readonly app: App;
  readonly scope: Scope;
}

/** An entry of the scope that the plan no longer has. */
function isVanished(entry: InventoryEntry, { entries, app, scope }: Wanted): boolean {
  const key = keyOfId(entry);
  return inScopeEntries([entry], app, scope).length > 0 && !entries.some((wanted) => keyOfId(wanted) === key);
}
