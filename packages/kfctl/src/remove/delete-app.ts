/** Owns `kfctl delete`: what the inventory lists goes, in reverse order, waited for; what was there before us stays. */
import type { KubeClient, ResourceType, UnknownObject } from '@kfctl/kube';
import { resources } from '@kfctl/kube';
import { rm } from 'node:fs/promises';
import path from 'node:path';
import type { App } from '../app/app-directory.ts';
import type { Scope } from '../app/scope.ts';
import { getObject, PARALLEL } from '../apply/apply-waves.ts';
import { identifyCluster, readClusterRecord, RECORD_FILE } from '../apply/cluster-identity.ts';
import { inScopeEntries } from '../apply/inventory-scope.ts';
import { inventoryName, readInventory, writeInventory } from '../apply/inventory.ts';
import type { InventoryEntry } from '../apply/inventory.ts';
import { ownerOf } from '../apply/ownership.ts';
import { typeOfEntry } from '../apply/prune.ts';
import { runBounded } from '../apply/run-bounded.ts';
import { READY, waitFor } from '../apply/wait-for.ts';
import type { Expectation } from '../apply/wait-for.ts';
import { kfctlError } from '../errors.ts';
import { describeId, idOf, keyOfId } from '../plan/object-id.ts';
import { createTypeFinder, typesOfCrd } from '../plan/plan.ts';
import type { TypeFinder } from '../plan/plan.ts';
import { waveOf, WAVE } from '../plan/waves.ts';
import { keepInUse } from './keep-in-use.ts';

export interface DeleteInput {
  readonly app: App;
  readonly client: KubeClient;
  readonly server: string;
  readonly scope: Scope;
  readonly timeoutMs: number;
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
  readonly onStage: (text: string) => void;
  readonly onDeleted: (text: string) => void;
}

export interface DeleteResult {
  readonly deleted: readonly string[];
  /** What stays, with the reason. */
  readonly left: readonly string[];
}

/** One object to delete, found in the cluster. */
export interface Doomed {
  readonly entry: InventoryEntry;
  readonly type: ResourceType;
  readonly object: UnknownObject;
}

/** Deletes; undefined when the cluster knows nothing of this deployment. Throws `CLUSTER_DIFFERS` on another cluster than the one applied to. */
export async function deleteApp(input: DeleteInput): Promise<DeleteResult | undefined> {
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
  for (const step of stepsOf(doomed, place.namespace)) deleted.push(...(await deleteStep(step, input)));
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

interface Judging {
  readonly client: KubeClient;
  readonly types: TypeFinder;
  readonly deployment: string;
}

/** Tells what is ours to delete from what was there before or has another owner now. */
async function judge(
  entries: readonly InventoryEntry[],
  { client, types, deployment }: Judging,
): Promise<{ doomed: Doomed[]; left: string[] }> {
  const doomed: Doomed[] = [];
  const left: string[] = [];
  const found = await runBounded(entries, PARALLEL, async (entry) => {
    const type = typeOfEntry(types, entry);
    const object = type === undefined ? undefined : await getObject(client, type, entry);
    return { entry, type, object };
  });
  for (const { entry, type, object } of found) {
    if (type === undefined || object === undefined) continue;
    if (entry.adopted === true) left.push(`${describeId(entry)}: it was there before kfctl`);
    else if (ownerOf(object) !== deployment) left.push(`${describeId(entry)}: it is no longer marked as made by kfctl`);
    else doomed.push({ entry, type, object });
  }
  return { doomed, left };
}

interface Step {
  readonly name: string;
  readonly members: readonly Doomed[];
  /** Delete all objects of these kinds first, whoever made them: their kind goes. */
  readonly kinds: readonly ResourceType[];
}

/** Custom resources go while their controllers still run; kinds and namespaces last, the inventory's own namespace at the very end. */
function stepsOf(doomed: readonly Doomed[], inventoryNamespace: string): Step[] {
  const of = (test: (doomed: Doomed) => boolean): Doomed[] => doomed.filter(test);
  const isCrd = ({ entry }: Doomed): boolean => entry.kind === 'CustomResourceDefinition';
  const isNamespace = ({ entry }: Doomed): boolean => entry.kind === 'Namespace' && entry.group === '';
  const isLast = (one: Doomed): boolean => isNamespace(one) && one.entry.name === inventoryNamespace;
  const wave =
    (number: number) =>
    (one: Doomed): boolean =>
      waveOf(one.entry) === number;
  const kinds = of(isCrd).flatMap(({ object }) => typesOfCrd(object).slice(0, 1));
  // Policies guard the routes: they stay until the gateway is gone.
  const kindsOf = (number: number): ResourceType[] => kinds.filter((kind) => waveOf(kind) === number);
  return [
    { name: 'routes and other custom resources', members: of(wave(WAVE.rest)), kinds: kindsOf(WAVE.rest) },
    { name: 'workloads', members: of(wave(WAVE.workloads)), kinds: [] },
    {
      name: 'accounts, access, configuration and policies',
      members: of(wave(WAVE.foundations)),
      kinds: kindsOf(WAVE.foundations),
    },
    { name: 'kinds', members: of(isCrd), kinds: [] },
    { name: 'namespaces', members: of((one) => isNamespace(one) && !isLast(one)), kinds: [] },
    { name: 'the last namespace', members: of(isLast), kinds: [] },
  ].filter(({ members, kinds }) => members.length > 0 || kinds.length > 0);
}

async function deleteStep(step: Step, input: DeleteInput): Promise<string[]> {
  const { client, dryRun, signal } = input;
  signal.throwIfAborted();
  input.onStage(`deleting ${step.name}`);
  const known = new Set(step.members.map(({ entry }) => keyOfId(entry)));
  const instances = await runBounded(step.kinds, PARALLEL, async (type) =>
    (await client.list(type)).items.map((object) => ({
      id: idOf({ ...object, kind: type.kind, apiVersion: apiOf(type) }),
      type,
    })),
  );
  const targets = [
    ...step.members.map(({ entry, type }) => ({ id: entry, type, note: '' })),
    ...instances
      .flat()
      .filter(({ id }) => !known.has(keyOfId(id)))
      .map((instance) => ({ ...instance, note: ' (goes with its kind)' })),
  ];
  await runBounded(targets, PARALLEL, async ({ id, type, note }) => {
    if (!dryRun) await client.delete(type, id.name, type.namespaced ? { namespace: id.namespace } : {});
    input.onDeleted(`${describeId(id)}${note}`);
  });
  if (!dryRun) await requireGone(targets, input);
  return targets.map(({ id }) => describeId(id));
}

function apiOf({ group, version }: ResourceType): string {
  return group === '' ? version : `${group}/${version}`;
}

async function requireGone(targets: readonly Pick<Expectation, 'id' | 'type'>[], input: DeleteInput): Promise<void> {
  const expectations = targets.flatMap(({ id, type }) => [
    { id, type, check: goneCheck },
    ...(id.kind === 'Profile' && id.group === 'kubeflow.org' ? [workspaceGone(id.name)] : []),
  ]);
  const left = await waitFor(input.client, expectations, { timeoutMs: input.timeoutMs, signal: input.signal });
  input.signal.throwIfAborted();
  if (left.length === 0) return;
  const lines = left.map(
    ({ id, readiness }) => `  - ${describeId(id)}: ${readiness.kind === 'ready' ? '' : readiness.reason}`,
  );
  throw kfctlError('DELETE_FAILED', `still there:\n${lines.join('\n')}`, {
    hint: 'Something holds them (finalizers, a controller that is gone). When it is mended, run the same command again.',
  });
}

/** A Profile's namespace goes with it, by the garbage collector; one that is not the Profile's stays. */
function workspaceGone(name: string): Expectation {
  const id = { group: '', kind: 'Namespace', namespace: '', name };
  const isOwned = (object: UnknownObject): boolean =>
    object.metadata.ownerReferences?.some(({ kind }) => kind === 'Profile') === true;
  const type = resources.namespaces as unknown as ResourceType;
  return { id, type, check: (object) => goneCheck(object !== undefined && isOwned(object) ? object : undefined) };
}

function goneCheck(object: UnknownObject | undefined): ReturnType<Expectation['check']> {
  if (object === undefined) return READY;
  const finalizers = object.metadata.finalizers ?? [];
  const reason = finalizers.length > 0 ? `waits for the finalizers ${finalizers.join(', ')}` : 'is being deleted';
  return { kind: 'waiting', reason };
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
