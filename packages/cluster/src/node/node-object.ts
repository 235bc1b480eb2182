/** Owns the Node object of this machine and the sign of life that goes with it. */
import { arch, availableParallelism, hostname, release, totalmem, type as osType } from 'node:os';
import { delay, describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { isKubeError, resources, withCondition } from '@kfctl/kube';
import type { Condition, KubeClient, NodeObject } from '@kfctl/kube';
import { renderTime } from './container/container-state.ts';

export interface NodeIdentity {
  readonly name: string;
  readonly address: string;
  /** How pods are kept apart, for `kubectl get nodes -o wide`. */
  readonly sandbox: string;
  readonly version: string;
}

const RENEW_MS = 60_000;
const LEASE_SECONDS = 180;
const LEASE_PLACE = { namespace: 'kube-node-lease' };

/** Creates the Node or brings it up to date. */
export async function registerNode(client: KubeClient, identity: NodeIdentity): Promise<void> {
  const present = await client.get(resources.nodes, identity.name);
  const labels = nodeLabels(identity);
  if (present === undefined) {
    const object = { apiVersion: 'v1', kind: 'Node', metadata: { name: identity.name, labels } };
    await client.create(resources.nodes, object).catch((error: unknown) => {
      if (!isKubeError(error, 'AlreadyExists')) throw error;
    });
  }
  const change = { kind: 'merge', body: { metadata: { labels } } } as const;
  if (present !== undefined) await client.patch(resources.nodes, identity.name, { patch: change });
  const body = { status: nodeStatus(identity, present) };
  await client.patch(resources.nodes, identity.name, { subresource: 'status', patch: { kind: 'merge', body } });
}

function nodeLabels({ name }: NodeIdentity): Record<string, string> {
  const cpu = arch() === 'x64' ? 'amd64' : arch();
  const system = osType().toLowerCase();
  return {
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': system,
    'kubernetes.io/arch': cpu,
    'node-role.kubernetes.io/control-plane': '',
  };
}

function nodeStatus({ name, address, sandbox, version }: NodeIdentity, present: NodeObject | undefined): unknown {
  const now = new Date();
  const healthy: [type: string, status: string, reason: string, message: string][] = [
    ['MemoryPressure', 'False', 'KubeletHasSufficientMemory', 'the local node does not watch memory'],
    ['DiskPressure', 'False', 'KubeletHasNoDiskPressure', 'the local node does not watch the disk'],
    ['PIDPressure', 'False', 'KubeletHasSufficientPID', 'the local node does not count processes'],
    ['Ready', 'True', 'KubeletReady', 'the local node runs pods as processes'],
  ];
  const conditions = healthy.reduce<Condition[]>(
    (list, [type, status, reason, message]) => withCondition(list, { type, status, reason, message }, now),
    present?.status?.conditions ?? [],
  );
  const capacity = {
    cpu: String(availableParallelism()),
    memory: `${Math.floor(totalmem() / 1024)}Ki`,
    pods: '250',
    'ephemeral-storage': '100Gi',
  };
  return {
    addresses: [
      { type: 'InternalIP', address },
      { type: 'Hostname', address: name },
    ],
    capacity,
    allocatable: capacity,
    conditions: conditions.map((condition) => ({ ...condition, lastHeartbeatTime: renderTime(now) })),
    nodeInfo: {
      architecture: arch() === 'x64' ? 'amd64' : arch(),
      bootID: '',
      containerRuntimeVersion: `process://${sandbox}`,
      kernelVersion: release(),
      kubeProxyVersion: version,
      kubeletVersion: version,
      machineID: hostname(),
      operatingSystem: osType().toLowerCase(),
      osImage: `${osType()} (processes of this machine)`,
      systemUUID: '',
    },
  };
}

/** Renews the node's lease until the signal aborts. Rarely: nobody but people looks at it. */
export async function keepLease(
  client: KubeClient,
  name: string,
  { log, signal }: { readonly log: Logger; readonly signal: AbortSignal },
): Promise<void> {
  while (!signal.aborted) {
    await renewLease(client, name).catch((error: unknown) =>
      log.warn('cannot renew node lease', { error: describeError(error) }),
    );
    await delay(RENEW_MS, signal);
  }
}

async function renewLease(client: KubeClient, name: string): Promise<void> {
  const renewTime = new Date().toISOString().replace('Z', '000Z');
  const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime };
  const metadata = { name, namespace: LEASE_PLACE.namespace };
  try {
    await client.patch(resources.leases, name, { ...LEASE_PLACE, patch: { kind: 'merge', body: { spec } } });
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
    await client.create(resources.leases, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec });
  }
}
