/**
 * Owns Deployments: one ReplicaSet per template, moved from the old ones to the new one as the strategy says.
 * It never touches pods.
 */
import { resources } from '@kfctl/kube';
import type { ObjectKey, ReconcileResult, Workload } from '@kfctl/kube';
import { localPods } from '../../node/pod/pod-spec.ts';
import type { LocalPod } from '../../node/pod/pod-spec.ts';
import { tell } from '../controller.ts';
import type { Controller, ControllerDeps } from '../controller.ts';
import { claimObjects, controllerKey, controllerOf } from '../workload/ownership.ts';
import { isPodFinished } from '../workload/pod-facts.ts';
import { writeStatus } from '../workload/write-status.ts';
import { deploymentStatus } from './deployment-status.ts';
import { byAge, cleanHistory, createSet, findNewSet, REVISION, revisionOf, setAnnotations } from './revisions.ts';
import { countsOf, newSetReplicas, oldSetReplicas, rolloutLimits, totalReplicas } from './rollout.ts';
import type { RolloutLimits } from './rollout.ts';

const COMPONENT = 'deployment-controller';

export function deploymentController(deps: ControllerDeps): Controller {
  return {
    name: 'deployment',
    watches: [{ type: resources.deployments }, { type: resources.replicaSets, keys: controllerKey('Deployment') }],
    reconcile: (key) => reconcile(deps, key),
  };
}

/** One round's view of a Deployment; the sets are replaced as they change. */
interface Round {
  readonly deployment: Workload;
  readonly limits: RolloutLimits;
  old: Workload[];
  fresh: Workload | undefined;
  hasMoved: boolean;
}

async function reconcile(deps: ControllerDeps, { name, namespace }: ObjectKey): Promise<ReconcileResult | undefined> {
  const deployment = await deps.client.get(resources.deployments, name, { namespace });
  if (deployment === undefined) return undefined;
  const sets = await claimObjects(deps, {
    type: resources.replicaSets,
    owner: deployment,
    selector: deployment.spec?.selector,
  });
  const fresh = findNewSet(deployment, sets);
  const old = byAge(sets.filter((set) => set !== fresh));
  const round: Round = { deployment, limits: rolloutLimits(deployment), old, fresh, hasMoved: false };
  if (deployment.metadata.deletionTimestamp === undefined) await moveOn(deps, round);
  return tellStatus(deps, round);
}

async function moveOn(deps: ControllerDeps, round: Round): Promise<void> {
  const { deployment } = round;
  const strategy = deployment.spec?.['strategy'] as { type?: string } | undefined;
  if (deployment.spec?.['paused'] === true) return scalePaused(deps, round);
  if (strategy?.type === 'Recreate') await recreate(deps, round);
  else await rollOn(deps, round);
  if (round.fresh !== undefined) await keepRevision(deps, round);
  if (isComplete(round)) await cleanHistory(deps, deployment, round.old);
}

async function scalePaused(deps: ControllerDeps, round: Round): Promise<void> {
  const active = [...round.old, ...(round.fresh === undefined ? [] : [round.fresh])].filter(
    ({ spec }) => (spec?.replicas ?? 0) > 0,
  );
  const [only] = active.length === 1 ? active : [];
  if (only !== undefined) await scaleSet(deps, round, { set: only, replicas: round.limits.desired });
}

async function rollOn(deps: ControllerDeps, round: Round): Promise<void> {
  const { limits } = round;
  const none = { name: '', replicas: 0, available: 0 };
  const replicas = newSetReplicas(
    limits,
    round.fresh === undefined ? none : countsOf(round.fresh),
    round.old.map(countsOf),
  );
  await ensureNewSet(deps, round, replicas);
  if (round.fresh === undefined) return;
  await scaleSet(deps, round, { set: round.fresh, replicas });
  const changes = oldSetReplicas(limits, countsOf(round.fresh), round.old.map(countsOf));
  for (const set of round.old) {
    const wanted = changes.get(set.metadata.name ?? '');
    if (wanted !== undefined) await scaleSet(deps, round, { set, replicas: wanted });
  }
}

/** No new pod before the last old one has gone. */
async function recreate(deps: ControllerDeps, round: Round): Promise<void> {
  for (const set of round.old) await scaleSet(deps, round, { set, replicas: 0 });
  const { items } = await deps.client.list(localPods, { namespace: round.deployment.metadata.namespace ?? '' });
  const uids = new Set(round.old.map(({ metadata }) => metadata.uid));
  const isOld = (pod: LocalPod): boolean => uids.has(controllerOf(pod)?.uid) && !isPodFinished(pod);
  if (items.some(isOld)) return;
  await ensureNewSet(deps, round, round.limits.desired);
  if (round.fresh !== undefined) await scaleSet(deps, round, { set: round.fresh, replicas: round.limits.desired });
}

async function ensureNewSet(deps: ControllerDeps, round: Round, replicas: number): Promise<void> {
  if (round.fresh !== undefined) return;
  const { deployment, limits } = round;
  const revision = Math.max(0, ...round.old.map(revisionOf)) + 1;
  const annotations = setAnnotations(deployment, revision, limits.desired + limits.maxSurge);
  round.fresh = await createSet(deps, { deployment, replicas, annotations });
  round.hasMoved = true;
  if (round.fresh === undefined) return;
  tellScaling(deps, round, { name: round.fresh.metadata.name ?? '', from: 0, to: replicas });
}

interface Scaling {
  readonly set: Workload;
  readonly replicas: number;
}

async function scaleSet(deps: ControllerDeps, round: Round, { set, replicas }: Scaling): Promise<void> {
  const from = set.spec?.replicas ?? 0;
  if (from === replicas) return;
  const { name = '', namespace = '' } = set.metadata;
  const changed = await deps.client.patch(resources.replicaSets, name, {
    namespace,
    patch: { kind: 'merge', body: { metadata: { uid: set.metadata.uid }, spec: { replicas } } },
  });
  if (set === round.fresh) round.fresh = changed;
  else round.old = round.old.map((other) => (other === set ? changed : other));
  round.hasMoved = true;
  tellScaling(deps, round, { name, from, to: replicas });
}

function tellScaling(
  deps: ControllerDeps,
  round: Round,
  { name, from, to }: { name: string; from: number; to: number },
): void {
  const message = `Scaled ${to > from ? 'up' : 'down'} replica set ${name} from ${from} to ${to}`;
  tell(deps, COMPONENT, { object: round.deployment, type: 'Normal', reason: 'ScalingReplicaSet', message });
}

/** The new set has the highest revision (a rollback makes an old set new), and the Deployment carries it too. */
async function keepRevision(deps: ControllerDeps, round: Round): Promise<void> {
  const { deployment, fresh, old, limits } = round;
  if (fresh === undefined) return;
  const revision = Math.max(revisionOf(fresh), Math.max(0, ...old.map(revisionOf)) + 1);
  const wanted = setAnnotations(deployment, revision, limits.desired + limits.maxSurge);
  const { name = '', namespace = '' } = fresh.metadata;
  if (Object.entries(wanted).some(([key, value]) => fresh.metadata.annotations?.[key] !== value)) {
    const body = { metadata: { annotations: wanted } };
    round.fresh = await deps.client.patch(resources.replicaSets, name, { namespace, patch: { kind: 'merge', body } });
  }
  if (deployment.metadata.annotations?.[REVISION] === String(revision)) return;
  const body = { metadata: { uid: deployment.metadata.uid, annotations: { [REVISION]: String(revision) } } };
  await deps.client.patch(resources.deployments, deployment.metadata.name ?? '', {
    namespace,
    patch: { kind: 'merge', body },
  });
}

function isComplete({ fresh, old, limits }: Round): boolean {
  return fresh !== undefined && totalReplicas(old.map(countsOf)) === 0 && countsOf(fresh).available >= limits.desired;
}

async function tellStatus(deps: ControllerDeps, round: Round): Promise<ReconcileResult | undefined> {
  const { deployment, old, fresh, limits, hasMoved } = round;
  const sets = [...old, ...(fresh === undefined ? [] : [fresh])];
  const { status, deadlineMs } = deploymentStatus({ deployment, sets, fresh, limits, hasMoved, now: deps.now() });
  await writeStatus(deps, resources.deployments, { object: deployment, status });
  return deadlineMs === undefined ? undefined : { requeueAfterMs: deadlineMs + 1000 };
}
