/** Owns the reading of a Service: what it asks for, and what its status says that it has. */
import type { Service } from '@kfctl/kube';
import { parseAddress } from '../address/address.ts';
import type { Address, Family } from '../address/address.ts';
import type { Wish } from '../allocate/allocator.ts';
import type { Labels } from '../pools/label-selector.ts';

const PREFIXES = ['metallb.io', 'metallb.universe.tf'];

export type ParsedWish =
  | { readonly kind: 'wish'; readonly wish: Wish }
  /** The service has no cluster address yet, so its families are not known. */
  | { readonly kind: 'early' }
  /** The request is a mistake; `wish` is the service without it. */
  | { readonly kind: 'invalid'; readonly reason: string; readonly wish: Wish };

export function serviceKey(service: Service): string {
  return `${service.metadata.namespace ?? ''}/${service.metadata.name ?? ''}`;
}

/** True for a service that this load balancer serves; one of another class belongs to another. */
export function isOurs(service: Service, loadBalancerClass: string): boolean {
  return service.spec?.type === 'LoadBalancer' && (service.spec.loadBalancerClass ?? '') === loadBalancerClass;
}

/** Services with one value may share an address; empty: shares with nobody. */
export function sharingKeyOf(service: Service): string {
  return annotation(service, 'allow-shared-ip') ?? '';
}

export function parseWish(service: Service, namespaceLabels: Labels = {}): ParsedWish {
  const families = familiesOf(service);
  if (families.length === 0) return { kind: 'early' };
  const { spec } = service;
  const wish: Wish = {
    service: serviceKey(service),
    namespace: service.metadata.namespace,
    namespaceLabels,
    labels: service.metadata.labels,
    ports: (spec?.ports ?? []).map(({ protocol, port }) => `${protocol ?? 'TCP'}/${port}`),
    sharingKey: sharingKeyOf(service),
    backendKey: spec?.externalTrafficPolicy === 'Local' ? selectorText(spec.selector ?? {}) : '',
    families,
    addresses: [],
  };
  const requested = requestedAddresses(service, families);
  if (requested.kind === 'invalid') return { ...requested, wish };
  return { kind: 'wish', wish: { ...wish, addresses: requested.list, pool: annotation(service, 'address-pool') } };
}

/** The addresses of the status when they are a full set for the families, undefined otherwise. */
export function heldAddresses(service: Service, families: readonly Family[]): readonly Address[] | undefined {
  const ingress = service.status?.loadBalancer?.ingress ?? [];
  const addresses = ingress.map(({ ip }) => (ip === undefined ? undefined : parseAddress(ip)));
  const known = addresses.filter((address) => address !== undefined);
  const fits =
    known.length === addresses.length &&
    known.length === families.length &&
    families.every((family) => known.some((address) => address.family === family));
  return fits ? known : undefined;
}

function requestedAddresses(
  service: Service,
  families: readonly Family[],
):
  | { readonly kind: 'list'; readonly list: readonly Address[] }
  | { readonly kind: 'invalid'; readonly reason: string } {
  const invalid = (reason: string): { readonly kind: 'invalid'; readonly reason: string } => ({
    kind: 'invalid',
    reason,
  });
  const field = service.spec?.loadBalancerIP || undefined;
  const list = annotation(service, 'loadBalancerIPs');
  if (field !== undefined && list !== undefined)
    return invalid('service can not have both the loadBalancerIPs annotation and spec.loadBalancerIP');
  const texts = (list ?? field)?.split(',').map((text) => text.trim()) ?? [];
  const addresses: Address[] = [];
  for (const text of texts) {
    const address = parseAddress(text);
    if (address === undefined)
      return invalid(`invalid ${list === undefined ? 'spec.loadBalancerIP' : 'loadBalancerIPs'} "${text}"`);
    if (!families.includes(address.family))
      return invalid(`requested IP "${address.text}" is not of the service's family (${families.join(', ')})`);
    if (addresses.some(({ family }) => family === address.family))
      return invalid(`more than one ${address.family} address is requested`);
    addresses.push(address);
  }
  if (addresses.length > 0 && addresses.length !== families.length)
    return invalid(`one address of each family (${families.join(', ')}) must be requested`);
  return { kind: 'list', list: addresses };
}

/** The new prefix goes before the old one. */
function annotation(service: Service, name: string): string | undefined {
  const { annotations = {} } = service.metadata;
  return PREFIXES.map((prefix) => annotations[`${prefix}/${name}`]).find(
    (value) => value !== undefined && value !== '',
  );
}

function familiesOf(service: Service): readonly Family[] {
  const { clusterIPs, clusterIP } = service.spec ?? {};
  const texts = clusterIPs ?? (clusterIP === undefined ? [] : [clusterIP]);
  return texts
    .map(parseAddress)
    .filter((address) => address !== undefined)
    .map(({ family }) => family);
}

function selectorText(selector: Readonly<Record<string, string>>): string {
  return Object.entries(selector)
    .map(([label, value]) => `${label}=${value}`)
    .toSorted()
    .join(',');
}
