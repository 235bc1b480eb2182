/**
 * Owns the agreement by leases: at any time an address has at most one owner, because the API server lets only one write win.
 *
 *   free ──our turn──► claim (optimistic write) ──won──► owned ──not ours by plan──► silent, then given back ──► free
 *    ▲                     └──lost──► another's
 *    ├── another's: its holder gave it back, or gave no sign of life for the expiry
 *    └── another's, and we are preferred: we ask for it on its lease, and its holder gives it back
 *
 * One renewed lease per node and one unrenewed lease per address: 500 addresses cost no more writes than one.
 */
import { describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { isKubeError, resources } from '@kfctl/kube';
import type { Informer, KubeClient, Lease } from '@kfctl/kube';
import { Alarm } from './alarm.ts';
import { Heartbeat } from './heartbeat.ts';
import { LivingNodes } from './living-nodes.ts';
import { NOBODY_OUTRANKS, TIMING } from './ownership.ts';
import type { Outranks, Ownership, OwnershipListener, Plan, Timing } from './ownership.ts';
import {
  addressLeaseName,
  holderOf,
  LEASE_SELECTOR,
  renderLease,
  renderSuit,
  suitorOf,
  versionOf,
} from './speaker-lease.ts';
import { createTurnstile } from './turnstile.ts';

export interface LeaseOwnershipOptions {
  readonly client: Pick<KubeClient, 'get' | 'list' | 'create' | 'replace' | 'delete'>;
  /** Of the speakers' leases, started and synced by the caller. */
  readonly leases: Informer<Lease>;
  readonly namespace: string;
  readonly node: string;
  readonly log: Logger;
  readonly listener: OwnershipListener;
  readonly timing?: Timing;
}

/** The preferred node goes first; each after it waits a little longer, so that they rarely collide. */
const TURN_MS = 150;
const MAX_TURN_MS = 900;
const RETRY_MS = 500;
/** Writes about addresses at once; the sign of life waits for none of them. */
const WRITES = 8;

export class LeaseOwnership implements Ownership {
  readonly #options: LeaseOwnershipOptions;
  readonly #heartbeat: Heartbeat;
  readonly #living: LivingNodes;
  /** Ours, with the version of the lease before our claim. */
  readonly #owned = new Map<string, string>();
  readonly #busy = new Set<string>();
  readonly #freeSince = new Map<string, number>();
  readonly #pass = createTurnstile(WRITES);
  readonly #wantedSince = new Map<string, number>();
  readonly #alarm = new Alarm(() => this.#look());
  readonly #unsubscribe: () => void;
  #plan: Plan = new Map();
  #outranks: Outranks = NOBODY_OUTRANKS;

  constructor(options: LeaseOwnershipOptions) {
    const { client, namespace, node, log, leases, listener, timing = TIMING } = options;
    this.#options = options;
    this.#living = new LivingNodes(leases, namespace, timing.expiryMs);
    this.#heartbeat = new Heartbeat({
      client,
      namespace,
      node,
      log,
      timing,
      reconfirm: () => this.#reconfirm(),
      onCertain: (until) => listener.onCertain(until),
    });
    for (const lease of leases.list(namespace)) this.#living.observe(lease);
    this.#unsubscribe = leases.onChange((lease) => {
      if (lease !== undefined) this.#living.observe(lease);
      this.#alarm.ringIn(0);
    });
  }

  setPlan(plan: Plan, outranks: Outranks = NOBODY_OUTRANKS): void {
    this.#plan = plan;
    this.#outranks = outranks;
    this.#alarm.ringIn(0);
  }

  doubt(address: string): void {
    this.#owned.delete(address);
    this.#alarm.ringIn(RETRY_MS);
  }

  async stop(): Promise<void> {
    this.#alarm.stop();
    this.#unsubscribe();
    await this.#heartbeat.stop();
    this.#owned.clear();
  }

  #look(): void {
    let next = Infinity;
    for (const address of this.#owned.keys()) this.#checkOwned(address);
    for (const [address, order] of this.#plan) {
      const turn = order.indexOf(this.#options.node);
      if (turn < 0 || this.#owned.has(address) || this.#busy.has(address)) continue;
      const wait = this.#waitFor(address, Math.min(turn * TURN_MS, MAX_TURN_MS));
      if (wait > 0) next = Math.min(next, wait, this.#suit(address));
      else this.#run(address, () => this.#pass(() => this.#claim(address)));
    }
    if (next < Infinity) this.#alarm.ringIn(next);
    if (this.#owned.size === 0 && this.#busy.size === 0) void this.#heartbeat.stop();
  }

  #checkOwned(address: string): void {
    if (this.#busy.has(address)) return;
    const lease = this.#leaseOf(address);
    const before = this.#owned.get(address);
    // The watch may not have shown our own write yet.
    const isOther = holderOf(lease) !== '' && holderOf(lease) !== this.#options.node && versionOf(lease) !== before;
    if (isOther) this.#run(address, () => this.#lose(address));
    else if (!(this.#plan.get(address)?.includes(this.#options.node) ?? false) || this.#isWooed(address, lease))
      this.#run(address, () => this.#giveBack(address));
  }

  /** True when a better node asks us for the address. */
  #isWooed(address: string, lease: Lease | undefined): boolean {
    const suitor = suitorOf(lease);
    return (
      holderOf(lease) === this.#options.node &&
      (this.#plan.get(address)?.includes(suitor) ?? false) &&
      this.#outranks(address, suitor, this.#options.node)
    );
  }

  /** Asks the owner for an address that is rather ours; milliseconds until it is time to, or Infinity. */
  #suit(address: string): number {
    const { node, timing = TIMING } = this.#options;
    const lease = this.#leaseOf(address);
    const rivals = [holderOf(lease), suitorOf(lease)].filter((rival) => rival !== '');
    const isBest = lease !== undefined && rivals.every((rival) => this.#outranks(address, node, rival));
    if (!isBest) {
      this.#wantedSince.delete(address);
      return Infinity;
    }
    // Not at once: a node that comes and goes would take its addresses with it each time.
    const since = this.#wantedSince.get(address) ?? performance.now();
    this.#wantedSince.set(address, since);
    const left = since + timing.settleMs - performance.now();
    if (left > 0) return left;
    this.#run(address, () => this.#ask(lease));
    return Infinity;
  }

  async #ask(lease: Lease): Promise<void> {
    const { client, namespace, node } = this.#options;
    try {
      await client.replace(resources.leases, renderSuit(lease, node), { namespace });
    } catch (error) {
      if (!isKubeError(error, 'Conflict', 'NotFound')) throw error;
    }
  }

  /** Milliseconds until we may claim it; 0: now. */
  #waitFor(address: string, turnMs: number): number {
    const holder = holderOf(this.#leaseOf(address));
    if (holder === this.#options.node) return 0;
    const left = holder === '' ? 0 : this.#living.leftMs(holder);
    if (left > 0) {
      this.#freeSince.delete(address);
      const { client, timing = TIMING } = this.#options;
      if (left > timing.expiryMs - timing.renewMs * 1.5) return left - (timing.expiryMs - timing.renewMs * 1.5) + 1;
      // A beat is missing: its owner is dead, or nobody reaches the API server. Which one, we see by asking.
      void this.#living.isSilent(holder, client);
      return Math.min(left, timing.renewMs / 3);
    }
    const since = this.#freeSince.get(address) ?? performance.now();
    this.#freeSince.set(address, since);
    return Math.max(0, since + turnMs - performance.now());
  }

  /** One thing at a time about an address. */
  #run(address: string, work: () => Promise<void>): void {
    this.#busy.add(address);
    let again = 20;
    void work()
      .catch((error: unknown) => {
        again = RETRY_MS;
        this.#options.log.warn('cannot change ownership', { ip: address, error: describeError(error) });
      })
      .finally(() => {
        this.#busy.delete(address);
        this.#alarm.ringIn(again);
      });
  }

  async #claim(address: string): Promise<void> {
    const { client, namespace, node, listener, timing = TIMING } = this.#options;
    // First the sign of life: an owner without one would lose the address at once.
    await this.#heartbeat.start();
    if (!this.#heartbeat.isCertain || this.#alarm.isStopped) return;
    const present = this.#leaseOf(address);
    const holder = holderOf(present);
    if (holder !== '' && holder !== node) {
      // Our watch may lag behind: ask before calling somebody dead.
      if (!(await this.#living.isSilent(holder, client))) return;
    }
    const name = addressLeaseName(address);
    const wanted = renderLease({ namespace, name, holder: node, seconds: Math.ceil(timing.expiryMs / 1000), present });
    try {
      await (present === undefined
        ? client.create(resources.leases, wanted, { namespace })
        : client.replace(resources.leases, wanted, { namespace }));
    } catch (error) {
      if (isKubeError(error, 'Conflict', 'AlreadyExists', 'NotFound')) return;
      throw error;
    }
    // The write may have taken so long that somebody called us dead and took the address: then the lease must be read again.
    if (this.#alarm.isStopped || !this.#heartbeat.isCertain) return;
    this.#freeSince.delete(address);
    this.#owned.set(address, versionOf(present));
    listener.onAcquired(address);
  }

  async #lose(address: string): Promise<void> {
    this.#owned.delete(address);
    await this.#options.listener.onLost(address);
  }

  async #giveBack(address: string): Promise<void> {
    const { listener } = this.#options;
    // Silent first: the next owner may start the moment that this is written.
    await listener.onLost(address);
    this.#owned.delete(address);
    await this.#pass(() => this.#free(address));
  }

  async #free(address: string): Promise<void> {
    const { client, namespace, node } = this.#options;
    const name = addressLeaseName(address);
    const present = await client.get(resources.leases, name, { namespace });
    if (holderOf(present) !== node) return;
    try {
      if (this.#plan.has(address))
        await client.replace(resources.leases, renderLease({ namespace, name, holder: '', seconds: 1, present }), {
          namespace,
        });
      else
        await client.delete(resources.leases, name, {
          namespace,
          preconditions: { resourceVersion: versionOf(present) },
        });
    } catch (error) {
      if (!isKubeError(error, 'Conflict', 'NotFound')) throw error;
    }
  }

  /** After a time in which others may have taken our addresses: reads who has them, past the watch. */
  async #reconfirm(): Promise<void> {
    if (this.#owned.size === 0) return;
    const { client, namespace, node } = this.#options;
    const { items } = await client.list(resources.leases, { namespace, labelSelector: LEASE_SELECTOR });
    const holders = new Map(items.map((lease) => [lease.metadata.name, holderOf(lease)]));
    const lost = [...this.#owned.keys()].filter((address) => holders.get(addressLeaseName(address)) !== node);
    await Promise.all(lost.map((address) => this.#lose(address)));
  }

  #leaseOf(address: string): Lease | undefined {
    return this.#options.leases.get(addressLeaseName(address), this.#options.namespace);
  }
}
