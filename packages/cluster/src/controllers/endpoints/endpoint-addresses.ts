/** Owns the question which pods stand behind a Service, and on which ports. Pure. */
import type { Service, ServicePort } from '@kfctl/kube';
import type { LocalPod } from '../../node/pod/pod-spec.ts';
import { isPodFinished, isPodReady } from '../workload/pod-facts.ts';

export interface EndpointPort {
  readonly name?: string;
  readonly port: number;
  readonly protocol: string;
  readonly appProtocol?: string;
}

export interface EndpointPod {
  readonly pod: LocalPod;
  readonly ip: string;
  readonly ready: boolean;
  /** Ready, whether or not it is being deleted. */
  readonly serving: boolean;
  readonly terminating: boolean;
}

export interface EndpointGroup {
  readonly ports: readonly EndpointPort[];
  readonly pods: readonly EndpointPod[];
}

/** The pods that the selector matches, grouped by the ports that they serve (a named port may differ from pod to pod). */
export function endpointGroups(service: Service, pods: readonly LocalPod[]): EndpointGroup[] {
  const groups = new Map<string, { ports: EndpointPort[]; pods: EndpointPod[] }>();
  const matching = pods
    .filter((pod) => matches(service, pod))
    .toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1));
  for (const pod of matching) {
    const endpoint = endpointOf(service, pod);
    if (endpoint === undefined) continue;
    const ports = portsOf(service, pod);
    if (ports.length === 0 && (service.spec?.ports ?? []).length > 0) continue;
    const key = JSON.stringify(ports);
    const group = groups.get(key) ?? { ports, pods: [] };
    groups.set(key, group);
    group.pods.push(endpoint);
  }
  return [...groups.values()];
}

function matches({ spec }: Service, { metadata }: LocalPod): boolean {
  return Object.entries(spec?.selector ?? {}).every(([key, value]) => metadata.labels?.[key] === value);
}

function endpointOf({ spec }: Service, pod: LocalPod): EndpointPod | undefined {
  const ip = pod.status?.podIP;
  if (ip === undefined || ip === '' || isPodFinished(pod)) return undefined;
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const serving = isPodReady(pod);
  const always = spec?.publishNotReadyAddresses === true;
  return { pod, ip, serving, terminating, ready: always || (serving && !terminating) };
}

function portsOf({ spec }: Service, pod: LocalPod): EndpointPort[] {
  return (spec?.ports ?? []).flatMap((port) => {
    const number = targetPort(port, pod);
    if (number === undefined) return [];
    const { name, protocol = 'TCP', appProtocol } = port;
    return [{ ...(name ? { name } : {}), port: number, protocol, ...(appProtocol ? { appProtocol } : {}) }];
  });
}

function targetPort({ port, targetPort: target, protocol = 'TCP' }: ServicePort, pod: LocalPod): number | undefined {
  if (typeof target === 'number') return target === 0 ? port : target;
  if (target === undefined || target === '') return port;
  const containers = [
    ...pod.spec.containers,
    ...(pod.spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
  ];
  const named = containers
    .flatMap(({ ports = [] }) => ports)
    .find((own) => own.name === target && (own.protocol ?? 'TCP') === protocol);
  return named?.containerPort;
}
