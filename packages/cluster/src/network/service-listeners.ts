/** Owns the question on which addresses a Service is to be reached, and where its connections go. Pure. */
import type { Endpoints, Service } from '@kfctl/kube';

export interface WantedListener {
  readonly address: string;
  readonly port: number;
  /** Name of the service port; endpoints carry the same. */
  readonly portName: string;
  readonly servicePort: number;
}

export interface Target {
  readonly host: string;
  readonly port: number;
}

/** Every TCP port on the cluster address, on the load balancer's addresses and, for node ports, on the node. */
export function wantedListeners(service: Service, nodeAddress: string): WantedListener[] {
  const { spec, status, metadata } = service;
  if (spec === undefined || spec.type === 'ExternalName' || metadata.deletionTimestamp !== undefined) return [];
  const own =
    spec.clusterIP !== undefined && spec.clusterIP !== '' && spec.clusterIP !== 'None' ? [spec.clusterIP] : [];
  const balanced =
    spec.type === 'LoadBalancer'
      ? (status?.loadBalancer?.ingress ?? []).flatMap(({ ip }) => (ip === undefined ? [] : [ip]))
      : [];
  const found = new Map<string, WantedListener>();
  for (const { port, name = '', protocol = 'TCP', nodePort } of spec.ports ?? []) {
    if (protocol !== 'TCP') continue;
    const places = [...own, ...balanced].map((address) => ({ address, port }));
    const onNode = nodePort === undefined || nodePort === 0 ? [] : [{ address: nodeAddress, port: nodePort }];
    for (const place of [...places, ...onNode]) {
      found.set(listenerKey(place), { ...place, portName: name, servicePort: port });
    }
  }
  return [...found.values()];
}

export function listenerKey({ address, port }: { readonly address: string; readonly port: number }): string {
  return `${address}:${port}`;
}

/** Where connections to a port of the service go: its ready endpoints. */
export function readyTargets(endpoints: Endpoints | undefined, portName: string): Target[] {
  return (endpoints?.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
    const port = ports.find(({ name = '', protocol = 'TCP' }) => name === portName && protocol === 'TCP')?.port;
    return port === undefined ? [] : addresses.map(({ ip }) => ({ host: ip, port }));
  });
}
