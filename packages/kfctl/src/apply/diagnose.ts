/** Owns the explanation why a workload is not ready: what its pods say. Logs are not read, because they may hold secrets. */
import { resources } from '@kfctl/kube';
import type { KubeClient, UnknownObject } from '@kfctl/kube';
import { describeId } from '../plan/object-id.ts';
import type { Waiting } from './wait-for.ts';

const WORKLOADS = new Set(['Deployment', 'StatefulSet', 'DaemonSet', 'Job']);

/** One line for each object that is not ready, with the reasons of its pods. */
export async function diagnose(client: Pick<KubeClient, 'list'>, pending: readonly Waiting[]): Promise<string[]> {
  const lines: string[] = [];
  for (const { id, readiness } of pending) {
    const reason = readiness.kind === 'ready' ? '' : readiness.reason;
    lines.push(`${describeId(id)}: ${reason}`);
    if (!WORKLOADS.has(id.kind)) continue;
    const pods = await client.list(resources.pods, { namespace: id.namespace }).catch(() => undefined);
    const own = (pods?.items ?? []).filter(({ metadata }) => (metadata.name ?? '').startsWith(`${id.name}-`));
    for (const pod of own) lines.push(...podReasons(pod as unknown as UnknownObject).map((text) => `  ${text}`));
  }
  return lines;
}

interface ContainerStatus {
  readonly name?: string;
  readonly ready?: boolean;
  readonly restartCount?: number;
  readonly state?: { readonly waiting?: { readonly reason?: string; readonly message?: string } };
  readonly lastState?: { readonly terminated?: { readonly reason?: string; readonly exitCode?: number } };
}

function podReasons(pod: UnknownObject): string[] {
  const status = (pod['status'] ?? {}) as {
    phase?: string;
    conditions?: readonly { type?: string; status?: string; message?: string }[];
    containerStatuses?: readonly ContainerStatus[];
    initContainerStatuses?: readonly ContainerStatus[];
  };
  const name = `Pod ${pod.metadata.name ?? ''}`;
  const unscheduled = status.conditions?.find(({ type, status }) => type === 'PodScheduled' && status === 'False');
  if (unscheduled !== undefined) return [`${name}: ${unscheduled.message ?? 'is not scheduled'}`];
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const lines = containers
    .filter(({ ready }) => ready !== true)
    .map((container) => `${name}, ${containerReason(container)}`);
  return lines.length > 0 ? lines : [`${name}: ${status.phase ?? 'unknown'}`];
}

function containerReason({ name = '', restartCount = 0, state, lastState }: ContainerStatus): string {
  const { reason = 'not ready', message } = state?.waiting ?? {};
  const last = lastState?.terminated;
  const before =
    last === undefined ? '' : `, ended before with ${last.reason ?? 'an error'} (exit code ${last.exitCode ?? '?'})`;
  return `container ${name}: ${reason}${message === undefined ? '' : ` (${message})`}${before}${restartCount > 0 ? `, ${restartCount} restarts` : ''}`;
}
