/** Owns the decision about one service: from its object and the allocator to what its status must say. No I/O. */
import { compareText } from '@kfctl/core';
import type { Service } from '@kfctl/kube';
import { parseAddress } from '../address/address.ts';
import type { Address } from '../address/address.ts';
import type { Allocator, Wish } from '../allocate/allocator.ts';
import type { Labels } from '../pools/label-selector.ts';
import { poolOf } from '../pools/pool.ts';
import { heldAddresses, isOurs, parseWish, serviceKey } from './service-wish.ts';

export type Decision =
  /** Nothing of ours to do or to say. */
  | { readonly kind: 'leave' }
  /** The status must not name an address (any more). */
  | { readonly kind: 'clear' }
  /** `lost`: why a former address had to go. */
  | { readonly kind: 'assigned'; readonly addresses: readonly Address[]; readonly lost?: string }
  | { readonly kind: 'waiting'; readonly reason: string; readonly lost?: string }
  /** The request is a mistake; what the service has stays (`keeps`) or had to go. */
  | { readonly kind: 'invalid'; readonly reason: string; readonly keeps: boolean };

export interface Surroundings {
  readonly loadBalancerClass: string;
  /** The labels of a namespace. */
  labelsOf(namespace: string): Labels;
}

/** Decides and updates the allocator accordingly; the same world gives the same decision whatever came before. */
export function convergeService(service: Service, allocator: Allocator, surroundings: Surroundings): Decision {
  const { loadBalancerClass, labelsOf } = surroundings;
  const key = serviceKey(service);
  if (!isOurs(service, loadBalancerClass)) {
    const had = allocator.release(key);
    return service.spec?.type !== 'LoadBalancer' && (had || namesOurs(service, allocator))
      ? { kind: 'clear' }
      : { kind: 'leave' };
  }
  const parsed = parseWish(service, labelsOf(service.metadata.namespace ?? ''));
  if (parsed.kind === 'early') return { kind: 'leave' };
  const { wish } = parsed;
  const held = allocator.assignmentOf(key)?.addresses ?? heldAddresses(service, wish.families);
  const lost = held === undefined ? undefined : keep(held, wish, allocator);
  const keeps = held !== undefined && lost === undefined;
  if (!keeps) allocator.release(key);
  // A slip in the request takes no address away from a service that works.
  if (parsed.kind === 'invalid') return { kind: 'invalid', reason: parsed.reason, keeps };
  if (keeps) return { kind: 'assigned', addresses: held };
  const told = lost === undefined ? {} : { lost };
  const outcome = allocator.allocate(wish);
  if (outcome.kind === 'refused') return { kind: 'waiting', reason: outcome.reason, ...told };
  return { kind: 'assigned', addresses: outcome.assignment.addresses, ...told };
}

/** True when the status of a service that is no load balancer (any more) still names an address of our pools. */
function namesOurs(service: Service, allocator: Allocator): boolean {
  const addresses = (service.status?.loadBalancer?.ingress ?? []).map(({ ip }) => parseAddress(ip ?? ''));
  return addresses.some((address) => address !== undefined && poolOf(allocator.pools, address) !== undefined);
}

/** Confirms held addresses to their service; the reason why it cannot keep them, or undefined. */
function keep(held: readonly Address[], wish: Wish, allocator: Allocator): string | undefined {
  const differs = held.length !== wish.families.length || held.some(({ family }) => !wish.families.includes(family));
  if (differs) return 'the families of the service have changed';
  if (wish.addresses.length > 0 && !wish.addresses.every(({ text }) => held.some((address) => address.text === text))) {
    return 'another address is requested';
  }
  const outcome = allocator.assign(wish, held);
  if (outcome.kind === 'refused') return outcome.reason;
  return wish.pool === undefined || outcome.assignment.pool === wish.pool
    ? undefined
    : `another pool is requested: "${wish.pool}"`;
}

/**
 * Confirms what the services' statuses say, before anything new is given away: after a restart nobody's address may go to another.
 * The elder goes first where two claim one address that they may not share.
 */
export function adoptAll(services: readonly Service[], allocator: Allocator, surroundings: Surroundings): void {
  const { loadBalancerClass, labelsOf } = surroundings;
  for (const service of byAge(services)) {
    if (!isOurs(service, loadBalancerClass)) continue;
    const parsed = parseWish(service, labelsOf(service.metadata.namespace ?? ''));
    if (parsed.kind === 'early') continue;
    const held = heldAddresses(service, parsed.wish.families);
    if (held === undefined) continue;
    if (keep(held, parsed.wish, allocator) !== undefined) allocator.release(serviceKey(service));
  }
}

/** The order in which services that come together are served, so that it does not matter who is seen first: the elder goes first. */
export function byAge(services: readonly Service[]): readonly Service[] {
  return services.toSorted((left, right) => compareText(ageKey(left), ageKey(right)));
}

function ageKey(service: Service): string {
  return `${service.metadata.creationTimestamp ?? ''} ${serviceKey(service)}`;
}
