/**
 * Owns the agreement without agreement: each speaker computes alone who is first among the living, as MetalLB does. No lease is asked
 * for, so nothing waits, and two may answer while they see different nodes alive.
 */
import type { Informer, KubeClient, Lease } from '@kfctl/kube';
import type { Logger } from '@kfctl/core';
import { Alarm } from './alarm.ts';
import { Heartbeat } from './heartbeat.ts';
import { LivingNodes } from './living-nodes.ts';
import { TIMING } from './ownership.ts';
import type { Ownership, OwnershipListener, Plan, Timing } from './ownership.ts';

export interface StatelessOwnershipOptions {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  readonly leases: Informer<Lease>;
  readonly namespace: string;
  readonly node: string;
  readonly log: Logger;
  readonly listener: OwnershipListener;
  readonly timing?: Timing;
}

const FOREVER = 2n ** 62n;

export class StatelessOwnership implements Ownership {
  readonly #options: StatelessOwnershipOptions;
  readonly #heartbeat: Heartbeat;
  readonly #living: LivingNodes;
  readonly #owned = new Set<string>();
  readonly #alarm = new Alarm(() => this.#look());
  readonly #unsubscribe: () => void;
  #plan: Plan = new Map();

  constructor(options: StatelessOwnershipOptions) {
    const { leases, namespace, listener, timing = TIMING } = options;
    this.#options = options;
    this.#living = new LivingNodes(leases, namespace, timing.expiryMs);
    const nothing = { reconfirm: async () => undefined, onCertain: () => undefined };
    this.#heartbeat = new Heartbeat({ ...options, ...nothing, timing });
    void this.#heartbeat.start();
    listener.onCertain(FOREVER);
    for (const lease of leases.list(namespace)) this.#living.observe(lease);
    this.#unsubscribe = leases.onChange((lease) => {
      if (lease !== undefined) this.#living.observe(lease);
      this.#alarm.ringIn(0);
    });
  }

  setPlan(plan: Plan): void {
    this.#plan = plan;
    this.#alarm.ringIn(0);
  }

  doubt(): void {
    this.#alarm.ringIn(0);
  }

  async stop(): Promise<void> {
    this.#alarm.stop();
    this.#unsubscribe();
    await this.#heartbeat.stop();
  }

  #look(): void {
    const { node, listener } = this.#options;
    let next = Infinity;
    const leftMs = (other: string): number => (other === node ? Infinity : this.#living.leftMs(other));
    for (const [address, order] of this.#plan) {
      const winner = order.find((other) => leftMs(other) > 0);
      for (const other of order) if (leftMs(other) > 0) next = Math.min(next, leftMs(other));
      if (winner === node && !this.#owned.has(address)) {
        this.#owned.add(address);
        listener.onAcquired(address);
      } else if (winner !== node) this.#lose(address);
    }
    for (const address of this.#owned) if (!this.#plan.has(address)) this.#lose(address);
    if (next < Infinity) this.#alarm.ringIn(next);
  }

  #lose(address: string): void {
    if (this.#owned.delete(address)) void this.#options.listener.onLost(address);
  }
}
