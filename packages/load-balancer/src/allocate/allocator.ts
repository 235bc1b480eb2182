/**
 * Owns who has which address; pure memory. It keeps two promises at every moment: an address belongs to a pool of the configuration, and
 * it is shared only by services that agreed to share it.
 */
import type { Address, Family } from '../address/address.ts';
import { addressesOf } from '../address/block.ts';
import { admits, holds, poolOf, poolsFor } from '../pools/pool.ts';
import type { Pool, PoolGuest } from '../pools/pool.ts';

/** What decides whether two services may have one address. */
export interface Claim extends PoolGuest {
  /** `namespace/name`. */
  readonly service: string;
  /** `TCP/80` … */
  readonly ports: readonly string[];
  /** The allow-shared-ip annotation; empty: shares with nobody. */
  readonly sharingKey: string;
  /** Empty for traffic policy Cluster; the selector for Local, whose announcer must be where the pods are. */
  readonly backendKey: string;
}

export interface Wish extends Claim {
  /** One address of each, all from one pool. */
  readonly families: readonly Family[];
  /** Named addresses; empty: any. */
  readonly addresses: readonly Address[];
  /** A named pool, also one that is not assigned from by itself. */
  readonly pool?: string | undefined;
}

export interface Assignment {
  readonly addresses: readonly Address[];
  readonly pool: string;
}

export type Outcome<T> = ({ readonly kind: 'ok' } & T) | { readonly kind: 'refused'; readonly reason: string };

interface Holding extends Assignment {
  readonly claim: Claim;
}

export class Allocator {
  #pools: readonly Pool[] = [];
  readonly #holdings = new Map<string, Holding>();
  readonly #users = new Map<string, Set<string>>();

  get pools(): readonly Pool[] {
    return this.#pools;
  }

  /** Takes new pools; the services whose addresses are in none of them lose theirs and are returned. */
  setPools(pools: readonly Pool[]): readonly string[] {
    this.#pools = pools;
    const homeless: string[] = [];
    for (const [service, holding] of this.#holdings) {
      const pool = this.#commonPool(holding.addresses);
      if (pool === undefined) homeless.push(service);
      else this.#holdings.set(service, { ...holding, pool: pool.name });
    }
    for (const service of homeless) this.release(service);
    return homeless;
  }

  assignmentOf(service: string): Assignment | undefined {
    return this.#holdings.get(service);
  }

  /** How many different addresses of a pool (of one family) are in use: sharers count once. */
  inUse(pool: string, family?: Family): number {
    const texts = [...this.#holdings.values()]
      .filter((holding) => holding.pool === pool)
      .flatMap(({ addresses }) => addresses.filter((address) => family === undefined || address.family === family))
      .map(({ text }) => text);
    return new Set(texts).size;
  }

  /** How many services have an address of the pool. */
  services(pool: string): number {
    return [...this.#holdings.values()].filter((holding) => holding.pool === pool).length;
  }

  /** Gives exactly these addresses, or refuses and changes nothing. A service may take anew what it has, with other ports or keys. */
  assign(claim: Claim, addresses: readonly Address[]): Outcome<{ readonly assignment: Assignment }> {
    const pool = this.#commonPool(addresses);
    if (pool === undefined) return refused(this.#whyNoPool(addresses));
    if (!admits(pool, claim)) return refused(`pool "${pool.name}" is not for "${claim.service}"`);
    for (const address of addresses) {
      const reason = this.#objection(claim, address);
      if (reason !== undefined) return refused(reason);
    }
    this.release(claim.service);
    this.#holdings.set(claim.service, { claim, addresses, pool: pool.name });
    for (const { text } of addresses) this.#users.set(text, (this.#users.get(text) ?? new Set()).add(claim.service));
    return { kind: 'ok', assignment: { addresses, pool: pool.name } };
  }

  /** Finds and gives addresses as wished: the named ones, or the first free ones of the named pool, or of any pool in their order. */
  allocate(wish: Wish): Outcome<{ readonly assignment: Assignment }> {
    if (wish.addresses.length > 0) return this.#allocateNamed(wish);
    if (wish.pool !== undefined) {
      const pool = this.#pools.find(({ name }) => name === wish.pool);
      if (pool === undefined) return refused(`unknown pool "${wish.pool}"`);
      if (!admits(pool, wish)) return refused(`pool "${wish.pool}" is not for "${wish.service}"`);
      const found = this.#find(wish, pool);
      return found === undefined ? refused(`no available IPs in pool "${wish.pool}"`) : this.assign(wish, found);
    }
    for (const pool of poolsFor(this.#pools, wish)) {
      const found = this.#find(wish, pool);
      if (found !== undefined) return this.assign(wish, found);
    }
    return refused('no available IPs');
  }

  /** Frees what a service has; true when it had something. */
  release(service: string): boolean {
    const holding = this.#holdings.get(service);
    if (holding === undefined) return false;
    this.#holdings.delete(service);
    for (const { text } of holding.addresses) {
      const users = this.#users.get(text);
      users?.delete(service);
      if (users?.size === 0) this.#users.delete(text);
    }
    return true;
  }

  #allocateNamed(wish: Wish): Outcome<{ readonly assignment: Assignment }> {
    const pool = this.#commonPool(wish.addresses);
    if (pool !== undefined && wish.pool !== undefined && pool.name !== wish.pool) {
      return refused(
        `requested address ${quote(wish.addresses)} is in pool "${pool.name}", not in the requested pool "${wish.pool}"`,
      );
    }
    return this.assign(wish, wish.addresses);
  }

  #find(wish: Wish, pool: Pool): readonly Address[] | undefined {
    const found = wish.families.map((family) => this.#firstFree(wish, pool, family));
    return found.every((address) => address !== undefined) ? found : undefined;
  }

  #firstFree(claim: Claim, pool: Pool, family: Family): Address | undefined {
    for (const block of pool.blocks) {
      if (block.family !== family) continue;
      for (const address of addressesOf(block)) {
        if (holds(pool, address) && this.#objection(claim, address) === undefined) return address;
      }
    }
    return undefined;
  }

  /** The one pool that holds them all. */
  #commonPool(addresses: readonly Address[]): Pool | undefined {
    const [first, ...others] = addresses;
    const pool = first === undefined ? undefined : poolOf(this.#pools, first);
    return pool !== undefined && others.every((address) => holds(pool, address)) ? pool : undefined;
  }

  #whyNoPool(addresses: readonly Address[]): string {
    const outside = addresses.filter((address) => poolOf(this.#pools, address) === undefined);
    return outside.length > 0
      ? `${quote(outside)} is not allowed in config`
      : `${quote(addresses)} are not of one pool`;
  }

  /** Why the service may not have the address beside its present users, or undefined. */
  #objection(claim: Claim, { text }: Address): string | undefined {
    const others = [...(this.#users.get(text) ?? [])].filter((service) => service !== claim.service);
    for (const service of others) {
      const other = this.#holdings.get(service)?.claim;
      if (other === undefined) continue;
      const clash = claim.ports.find((port) => other.ports.includes(port));
      if (clash !== undefined) return `port ${clash} is already in use on "${text}"`;
      if (claim.sharingKey === '' || claim.sharingKey !== other.sharingKey || claim.backendKey !== other.backendKey) {
        return `can't change sharing key for "${claim.service}", address also in use by ${others.toSorted().join(',')}`;
      }
    }
    return undefined;
  }
}

function refused(reason: string): { readonly kind: 'refused'; readonly reason: string } {
  return { kind: 'refused', reason };
}

function quote(addresses: readonly Address[]): string {
  return addresses.map(({ text }) => `"${text}"`).join(', ');
}
