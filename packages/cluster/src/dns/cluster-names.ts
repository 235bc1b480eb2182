/**
 * Owns the names of the cluster domain (the Kubernetes DNS specification):
 *
 *   SERVICE.NAMESPACE.svc.cluster.local           cluster address; headless: its endpoints; ExternalName: an alias
 *   POD.SERVICE.NAMESPACE.svc.cluster.local       a pod of a headless service
 *   _PORT._PROTOCOL.SERVICE.NAMESPACE.svc…        SRV
 *   1-2-3-4.NAMESPACE.pod.cluster.local           a pod's address
 */
import type { Endpoints, Service } from '@kfctl/kube';
import { RCODE, RECORD } from './dns-message.ts';
import type { DnsAnswer, DnsRecord } from './dns-message.ts';

export const CLUSTER_DOMAIN = 'cluster.local';
const SERVICES = `.svc.${CLUSTER_DOMAIN}`;
const PODS = `.pod.${CLUSTER_DOMAIN}`;

export interface ClusterObjects {
  service(name: string, namespace: string): Service | undefined;
  endpoints(name: string, namespace: string): Endpoints | undefined;
  services(): readonly Service[];
}

const NO_NAME: DnsAnswer = { code: RCODE.NAME_ERROR, records: [] };

/** The answer for a name of the cluster; undefined for names that are none of its business. */
export function resolveClusterName(objects: ClusterObjects, name: string, type: number): DnsAnswer | undefined {
  if (name.endsWith('.in-addr.arpa')) return resolveAddress(objects, name);
  if (name !== CLUSTER_DOMAIN && !name.endsWith(`.${CLUSTER_DOMAIN}`)) return undefined;
  if (name.endsWith(PODS)) return resolvePod(name, type);
  if (!name.endsWith(SERVICES)) return name === CLUSTER_DOMAIN ? found([]) : NO_NAME;
  const labels = name.slice(0, -SERVICES.length).split('.');
  const [namespace = '', service = ''] = labels.toReversed();
  const present = objects.service(service, namespace);
  if (present === undefined) return NO_NAME;
  const parts = { objects, service: present, name };
  const [first = '', second = ''] = labels;
  if (labels.length === 2) return resolveService(parts, type);
  if (labels.length === 3) return resolveMember(parts, first, type);
  if (labels.length === 4 && first.startsWith('_') && second.startsWith('_'))
    return resolvePort(parts, { port: first.slice(1), protocol: second.slice(1) });
  return NO_NAME;
}

function found(records: readonly DnsRecord[]): DnsAnswer {
  return { code: RCODE.OK, records };
}

interface ServiceParts {
  readonly objects: ClusterObjects;
  readonly service: Service;
  readonly name: string;
}

function resolveService(parts: ServiceParts, type: number): DnsAnswer {
  const { service, name } = parts;
  const { externalName } = service.spec ?? {};
  if (service.spec?.type === 'ExternalName' && externalName)
    return found([{ kind: 'cname', name, target: externalName }]);
  if (type !== RECORD.A && type !== RECORD.ANY) return found([]);
  const addresses = isHeadless(service) ? members(parts).map(({ ip }) => ip) : [service.spec?.clusterIP ?? ''];
  const records = [...new Set(addresses)].filter(isIpv4).map((address): DnsRecord => ({ kind: 'a', name, address }));
  return records.length === 0 && isHeadless(service) ? NO_NAME : found(records);
}

export function isHeadless({ spec }: Service): boolean {
  return spec?.clusterIP === 'None';
}

interface Member {
  readonly ip: string;
  readonly hostname: string;
}

function members({ objects, service }: Pick<ServiceParts, 'objects' | 'service'>): Member[] {
  const { name = '', namespace = '' } = service.metadata;
  const subsets = objects.endpoints(name, namespace)?.subsets ?? [];
  return subsets.flatMap(({ addresses = [] }) =>
    addresses.map(({ ip, hostname }) => ({ ip, hostname: hostname ?? ip.replaceAll('.', '-') })),
  );
}

function resolveMember(parts: ServiceParts, hostname: string, type: number): DnsAnswer {
  if (!isHeadless(parts.service)) return NO_NAME;
  const matching = members(parts).filter((member) => member.hostname === hostname && isIpv4(member.ip));
  if (matching.length === 0) return NO_NAME;
  return found(
    type === RECORD.A || type === RECORD.ANY
      ? matching.map(({ ip }) => ({ kind: 'a', name: parts.name, address: ip }))
      : [],
  );
}

function resolvePort(parts: ServiceParts, wanted: { readonly port: string; readonly protocol: string }): DnsAnswer {
  const { service, objects, name } = parts;
  const { name: serviceName = '', namespace = '' } = service.metadata;
  const base = `${serviceName}.${namespace}${SERVICES}`;
  const ports = (service.spec?.ports ?? []).filter(
    (port) => port.name === wanted.port && (port.protocol ?? 'TCP').toLowerCase() === wanted.protocol,
  );
  if (ports.length === 0) return NO_NAME;
  if (!isHeadless(service)) return found(ports.map(({ port }) => ({ kind: 'srv', name, port, target: base })));
  const subsets = objects.endpoints(serviceName, namespace)?.subsets ?? [];
  const real = subsets.flatMap(({ ports: own = [] }) => own).find((port) => port.name === wanted.port)?.port;
  return found(
    members(parts).map(({ hostname }) => ({
      kind: 'srv',
      name,
      port: real ?? ports[0]?.port ?? 0,
      target: `${hostname}.${base}`,
    })),
  );
}

function resolvePod(name: string, type: number): DnsAnswer {
  const [address = '', namespace, ...rest] = name.slice(0, -PODS.length).split('.');
  const ip = address.replaceAll('-', '.');
  if (namespace === undefined || rest.length > 0 || !isIpv4(ip)) return NO_NAME;
  return found(type === RECORD.A || type === RECORD.ANY ? [{ kind: 'a', name, address: ip }] : []);
}

/** Only addresses of services and their endpoints have names here; others may have one elsewhere. */
function resolveAddress(objects: ClusterObjects, name: string): DnsAnswer | undefined {
  const ip = name.slice(0, -'.in-addr.arpa'.length).split('.').toReversed().join('.');
  if (!isIpv4(ip)) return undefined;
  for (const service of objects.services()) {
    const { name: serviceName = '', namespace = '' } = service.metadata;
    const base = `${serviceName}.${namespace}${SERVICES}`;
    if (service.spec?.clusterIP === ip) return found([{ kind: 'ptr', name, target: base }]);
    const member = isHeadless(service) ? members({ objects, service }).find((other) => other.ip === ip) : undefined;
    if (member !== undefined) return found([{ kind: 'ptr', name, target: `${member.hostname}.${base}` }]);
  }
  return undefined;
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part) && Number(part) <= 255);
}
