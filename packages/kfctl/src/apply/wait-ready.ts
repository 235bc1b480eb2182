/** Owns the end of an apply: addresses, the certificate for them, workloads and the user's workspace, all awaited at once. */
import { resources } from '@kfctl/kube';
import type { KubeClient, ResourceType } from '@kfctl/kube';
import type { App } from '../app/app-directory.ts';
import { findGateway, planCertificate } from '../credentials/plan-certificate.ts';
import { kfctlError } from '../errors.ts';
import { describeId } from '../plan/object-id.ts';
import type { PlannedObject } from '../plan/plan.ts';
import type { ApplyListener, ApplyOptions } from './apply-app.ts';
import { applyObject } from './apply-object.ts';
import type { ApplyContext } from './apply-object.ts';
import { getObject } from './apply-waves.ts';
import { certificateInput } from './gateway-certificate.ts';
import { gatewayUrls } from './gateway-urls.ts';
import { nextStep } from './next-step.ts';
import { createPodWatch } from './pod-watch.ts';
import type { PodWatch } from './pod-watch.ts';
import { hasAddress, namespaceActive, readinessCheck } from './readiness.ts';
import { throwIfInterrupted } from './time-limit.ts';
import type { TimeLimit } from './time-limit.ts';
import { READY, waitFor } from './wait-for.ts';
import type { Expectation, Waiting } from './wait-for.ts';

export interface ReadyInput {
  readonly app: App;
  readonly client: KubeClient;
  readonly options: ApplyOptions;
  readonly listener: ApplyListener;
  readonly context: ApplyContext;
  readonly planned: readonly PlannedObject[];
  readonly limit: TimeLimit;
}

/** Waits for everything that the plan needs to be in service; gives where the dashboard is. Throws `NOT_READY` with the reasons. */
export async function waitReady(input: ReadyInput): Promise<readonly string[]> {
  const { options, planned, listener } = input;
  if (!options.wait) return coverAddresses(input);
  const balancers = planned.filter(isLoadBalancer);
  const workloads = planned.filter(isWorkload);
  const pods = createPodWatch(input.client, new Set(workloads.map(({ id }) => id.namespace)));
  const others = [
    ...workloads.map((workload) => workloadExpectation(workload, pods)),
    ...planned.flatMap(profileExpectation),
  ];
  const state: Record<'addresses' | 'others', readonly Waiting[]> = { addresses: [], others: [] };
  const show = (part: 'addresses' | 'others') => (left: readonly Waiting[]) => {
    state[part] = left;
    listener.waiting([...state.addresses, ...state.others]);
  };
  listener.stage(`waiting for ${balancers.length + others.length} objects to be ready`);
  const bounds = { timeoutMs: input.limit.remainingMs(), signal: input.limit.signal };
  const addressed = waitFor(
    input.client,
    balancers.map(({ id, type }) => ({ id, type, check: hasAddress })),
    { ...bounds, onProgress: show('addresses') },
  ).then(async (left) => ({ left, urls: left.length > 0 ? [] : await coverAddresses(input) }));
  const [{ left, urls }, waiting] = await Promise.all([
    addressed,
    waitFor(input.client, others, { ...bounds, onProgress: show('others'), evidence: pods }),
  ]);
  throwIfInterrupted(input.limit.signal);
  requireReady([...left, ...waiting]);
  return urls;
}

function requireReady(pending: readonly Waiting[]): void {
  if (pending.length === 0) return;
  const reasons = pending.map(
    ({ id, readiness }) => `${describeId(id)}: ${readiness.kind === 'ready' ? '' : readiness.reason}`,
  );
  throw kfctlError('NOT_READY', `not ready:\n${reasons.map((line) => `  - ${line}`).join('\n')}`, {
    hint: nextStep(pending),
  });
}

/** Makes the certificate cover the addresses that the load balancer gave; gives where the dashboard is. */
async function coverAddresses(input: ReadyInput): Promise<readonly string[]> {
  const certificate = await certificateInput({ ...input, ownership: input.context.ownership });
  if (certificate === undefined) return [];
  for (const planned of await planCertificate(certificate)) {
    await applyObject(planned, await getObject(input.client, planned.type, planned.id), input.context);
  }
  const service = findGateway(input.planned)?.service;
  return service === undefined ? [] : gatewayUrls(await getObject(input.client, service.type, service.id));
}

function isLoadBalancer({ id, object }: PlannedObject): boolean {
  return (
    id.kind === 'Service' &&
    id.group === '' &&
    (object['spec'] as { type?: unknown } | undefined)?.type === 'LoadBalancer'
  );
}

function isWorkload({ id }: PlannedObject): boolean {
  return readinessCheck(id) !== undefined && id.kind !== 'CustomResourceDefinition';
}

function workloadExpectation({ id, type }: PlannedObject, pods: PodWatch): Expectation {
  return { id, type, check: pods.explain(readinessCheck(id) ?? (() => READY)) };
}

/** A Profile is in service when its namespace exists. */
function profileExpectation({ id }: PlannedObject): Expectation[] {
  if (id.kind !== 'Profile' || id.group !== 'kubeflow.org') return [];
  const namespace = { group: '', kind: 'Namespace', namespace: '', name: id.name };
  return [{ id: namespace, type: resources.namespaces as unknown as ResourceType, check: namespaceActive }];
}
