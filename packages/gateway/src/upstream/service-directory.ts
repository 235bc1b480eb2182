/** Owns the way from a destination host and port to the addresses of ready endpoints. */
import type { EndpointSlice, Service } from '@kfctl/kube';
import type { Source } from '../istio/sources.ts';
import { parseServiceHost } from './service-host.ts';
import type { ServiceRef } from './service-host.ts';
import type { UpstreamAddress } from './upstream.ts';

/** The ready endpoints of one service port, as long as nothing about them changes. */
export interface EndpointSet {
  readonly service: ServiceRef;
  readonly port: number;
  readonly addresses: readonly UpstreamAddress[];
  /** Labels that the Service selects pods by. */
  readonly labels: ReadonlyMap<string, string>;
  /** `http`, `grpc` … from the port's appProtocol or name. */
  readonly protocol: string;
  /** Round robin. */
  next: number;
}

/** Where a route sends requests; `namespace` is where a short host name is looked up. */
export interface ServiceTarget {
  readonly host: string;
  readonly port: number | undefined;
  readonly namespace: string;
}

export interface ServiceDirectory {
  /** As `resolve`; remembered for the target object until something changes. */
  find(target: ServiceTarget): EndpointSet | undefined;
  /** Undefined: no such service or port. Port undefined means the service's only port. */
  resolve(ref: ServiceRef, port: number | undefined): EndpointSet | undefined;
  /** Something that was found may have changed. */
  onChange(listener: () => void): void;
}

const SERVICE_NAME = 'kubernetes.io/service-name';

export function createServiceDirectory(
  services: Source<Service>,
  endpointSlices: Source<EndpointSlice>,
): ServiceDirectory {
  const cache = new Map<string, Map<number | undefined, EndpointSet | undefined>>();
  let found = new WeakMap<ServiceTarget, EndpointSet>();
  const listeners: (() => void)[] = [];
  const forget = (): void => {
    found = new WeakMap();
    for (const listener of listeners) listener();
  };
  services.onChange((object, previous) => {
    const { namespace = '', name = '' } = (object ?? previous)?.metadata ?? {};
    cache.delete(`${namespace}/${name}`);
    forget();
  });
  endpointSlices.onChange((object, previous) => {
    for (const slice of [object, previous]) {
      const name = slice?.metadata.labels?.[SERVICE_NAME];
      if (name !== undefined) cache.delete(`${slice?.metadata.namespace ?? ''}/${name}`);
    }
    forget();
  });
  const resolve: ServiceDirectory['resolve'] = (ref, port) => {
    const key = `${ref.namespace}/${ref.name}`;
    const ports = cache.get(key) ?? new Map<number | undefined, EndpointSet | undefined>();
    if (!ports.has(port)) ports.set(port, find({ services, endpointSlices, ref, port }));
    // Hosts come from VirtualServices, not from clients, so the cache is as large as the configuration.
    cache.set(key, ports);
    return ports.get(port);
  };
  return {
    resolve,
    onChange: (listener) => void listeners.push(listener),
    find(target) {
      const known = found.get(target);
      if (known !== undefined) return known;
      const ref = parseServiceHost(target.host, target.namespace);
      const endpoints = ref && resolve(ref, target.port);
      if (endpoints !== undefined) found.set(target, endpoints);
      return endpoints;
    },
  };
}

interface Search {
  readonly services: Source<Service>;
  readonly endpointSlices: Source<EndpointSlice>;
  readonly ref: ServiceRef;
  readonly port: number | undefined;
}

function find({ services, endpointSlices, ref, port }: Search): EndpointSet | undefined {
  const spec = services.get(ref.name, ref.namespace)?.spec;
  const ports = spec?.ports ?? [];
  const servicePort = port === undefined && ports.length === 1 ? ports[0] : ports.find((item) => item.port === port);
  if (servicePort === undefined || (servicePort.protocol ?? 'TCP') !== 'TCP') return undefined;
  const addresses = endpointSlices
    .list(ref.namespace)
    .filter((slice) => slice.metadata.labels?.[SERVICE_NAME] === ref.name)
    .flatMap((slice) => readyAddresses(slice, servicePort.name ?? ''));
  return {
    service: ref,
    port: servicePort.port,
    addresses: unique(addresses),
    labels: new Map(Object.entries(spec?.selector ?? {})),
    protocol: servicePort.appProtocol ?? servicePort.name ?? '',
    next: 0,
  };
}

function readyAddresses(slice: EndpointSlice, portName: string): UpstreamAddress[] {
  const port = slice.ports?.find((item) => (item.name ?? '') === portName)?.port;
  if (port === undefined || slice.addressType === 'FQDN') return [];
  return (slice.endpoints ?? [])
    .filter((endpoint) => endpoint.conditions?.ready !== false)
    .flatMap(({ addresses, targetRef }) => {
      const pod = targetRef?.kind === 'Pod' ? targetRef.name : undefined;
      return addresses.slice(0, 1).map((host) => ({ host, port, pod }));
    });
}

function unique(addresses: readonly UpstreamAddress[]): UpstreamAddress[] {
  return [...new Map(addresses.map((address) => [`${address.host}|${address.port}`, address])).values()];
}

/** The next endpoint in turn; undefined when none is ready. */
export function pickEndpoint(endpoints: EndpointSet): UpstreamAddress | undefined {
  const { addresses } = endpoints;
  if (addresses.length === 0) return undefined;
  endpoints.next = (endpoints.next + 1) % addresses.length;
  return addresses[endpoints.next];
}
