/** Owns `kfctl delete`: what the inventory lists goes, in reverse order, waited for; what was there before us stays. */
import type { KubeClient } from '@kfctl/kube';
import { resources } from '@kfctl/kube';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { App } from '../app/app-directory.ts';
import type { Scope } from '../app/scope.ts';
import { identifyCluster, readClusterRecord, RECORD_FILE } from '../apply/cluster-identity.ts';
import { inScopeEntries } from '../apply/inventory-scope.ts';
import { inventoryName, readInventory, writeInventory } from '../apply/inventory.ts';
import type { InventoryEntry } from '../apply/inventory.ts';
import { withinTime } from '../apply/time-limit.ts';
import type { Waiting } from '../apply/wait-for.ts';
import { kfctlError } from '../errors.ts';
import { createTypeFinder } from '../plan/plan.ts';
import { deleteStep } from './delete-step.ts';
import { judge } from './doomed.ts';
import { keepInUse } from './keep-in-use.ts';
import { stepsOf } from './steps.ts';

export interface DeleteInput {
  readonly app: App;
  readonly client: KubeClient;
  readonly server: string;
  readonly scope: Scope;
  /** For all of it. */
  readonly timeoutMs: number;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onStage: (text: string) => void;
  readonly onDeleted: (text: string) => void;
  /** Told after every change: what is still there, and why. */
  readonly onWaiting: (pending: readonly Waiting[]) => void;
}

export interface DeleteResult {
  readonly deleted: readonly string[];
  /** What stays, with the reason. */
  readonly left: readonly string[];
}

/** Deletes; undefined when the cluster knows nothing of this deployment. Throws `CLUSTER_DIFFERS` on another cluster than the one applied to. */
export async function deleteApp(input: DeleteInput): Promise<DeleteResult | undefined> {
  let stage = `reaching ${input.server}`;
  const onStage = (text: string): void => {
    stage = text;
    input.onStage(text);
  };
  return withinTime({ ...input, stage: () => stage, command: 'delete' }, ({ signal, remainingMs }) =>
    deleteWithin(performance.now() + remainingMs(), { ...input, signal, onStage }),
  );
}

async function deleteWithin(deadline: number, input: DeleteInput): Promise<DeleteResult | undefined> {
  const { app, client, scope } = input;
  await requireSameCluster(input);
  const place = { deployment: app.kfdef.name, namespace: app.kfdef.namespace };
  const inventory = await readInventory(client, place);
  if (inventory === undefined) return undefined;
  const types = await createTypeFinder(client);
  const chosen = inScopeEntries(inventory, app, scope);
  const judged = await judge(chosen, { client, types, deployment: app.kfdef.name });
  const rest = inventory.filter((entry) => !chosen.includes(entry));
  const { doomed, kept, reasons } = await keepInUse(judged.doomed, { client, rest, namespace: place.namespace });
  const deleted: string[] = [];
  for (const step of stepsOf(doomed, place.namespace)) {
    input.onStage(`deleting ${step.name}`);
    deleted.push(...(await deleteStep(step, { ...input, deadline })));
  }
  if (!input.dryRun) await settleInventory(input, [...rest, ...kept]);
  return { deleted, left: [...judged.left, ...reasons] };
}

async function requireSameCluster({ app, client, server }: DeleteInput): Promise<void> {
  const identity = await identifyCluster(client, server);
  const recorded = await readClusterRecord(app.directory);
  if (recorded === undefined || recorded.uid === identity.uid) return;
  throw kfctlError(
    'CLUSTER_DIFFERS',
    `${app.kfdef.name} was applied to ${recorded.server}, but this is another cluster: ${server}`,
    {
      hint: 'Choose the cluster that it was applied to: --kubeconfig FILE, --context NAME or KUBECONFIG.',
    },
  );
}

async function settleInventory({ app, client }: DeleteInput, rest: readonly InventoryEntry[]): Promise<void> {
  const place = { deployment: app.kfdef.name, namespace: app.kfdef.namespace };
  if (rest.length > 0) {
    await writeInventory(client, place, rest);
    return;
  }
  await client.delete(resources.configMaps, inventoryName(place.deployment), { namespace: place.namespace });
  await rm(path.join(app.directory, RECORD_FILE), { force: true });
}
