/**
 * Owns this node's sign of life, one Lease that is renewed while we own something, and what may be concluded from it:
 *
 *   renewal written -> certain until its start + fence;  no renewal for longer -> uncertain;  renewed again -> look who owns what, first
 */
import { delay, describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { isKubeError, resources } from '@kfctl/kube';
import type { KubeClient, Lease } from '@kfctl/kube';
import type { Timing } from './ownership.ts';
import { nodeLeaseName, renderLease } from './speaker-lease.ts';

export interface HeartbeatOptions {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  readonly namespace: string;
  readonly node: string;
  readonly log: Logger;
  readonly timing: Timing;
  /** Called after a time without renewals, before certainty returns. */
  reconfirm(): Promise<void>;
  onCertain(until: bigint): void;
}

/** Longer than this a write is given up: the connection may be dead. */
const WRITE_MS = 2500;

export class Heartbeat {
  readonly #options: HeartbeatOptions;
  #lease: Lease | undefined;
  #running:
    | { readonly abort: AbortController; readonly first: Promise<void>; readonly ended: Promise<void> }
    | undefined;
  #stopped: Promise<void> = Promise.resolve();
  #certainUntil = 0n;
  #complaint = '';

  constructor(options: HeartbeatOptions) {
    this.#options = options;
  }

  get isCertain(): boolean {
    return process.hrtime.bigint() < this.#certainUntil;
  }

  /** Resolves when the first renewal is written. */
  start(): Promise<void> {
    if (this.#running !== undefined) return this.#running.first;
    const abort = new AbortController();
    const first = Promise.withResolvers<void>();
    // Not beside the last write of a stop: the two could come in the wrong order.
    const ended = this.#stopped.then(() => this.#beat(abort.signal, first.resolve)).finally(first.resolve);
    this.#running = { abort, first: first.promise, ended };
    return first.promise;
  }

  /** Tells everybody that we have gone; they need not wait. */
  stop(): Promise<void> {
    const running = this.#running;
    if (running === undefined) return this.#stopped;
    this.#running = undefined;
    running.abort.abort();
    this.#stopped = running.ended.then(() => this.#release());
    return this.#stopped;
  }

  async #release(): Promise<void> {
    this.#certainUntil = 0n;
    if (this.#lease === undefined) return;
    await this.#write('').catch((error: unknown) =>
      this.#options.log.debug('cannot release lease', { error: describeError(error) }),
    );
  }

  async #beat(signal: AbortSignal, onFirst: () => void): Promise<void> {
    const { renewMs } = this.#options.timing;
    while (!signal.aborted) {
      const startedAt = performance.now();
      if (await this.#renew(signal)) onFirst();
      await delay(Math.max(50, renewMs - (performance.now() - startedAt)), signal);
    }
  }

  async #renew(signal: AbortSignal): Promise<boolean> {
    const { timing, reconfirm, onCertain, node, log } = this.#options;
    const startedAt = process.hrtime.bigint();
    try {
      const wasCertain = this.isCertain;
      const done = await Promise.race([this.#write(node).then(() => true), delay(WRITE_MS, signal).then(() => false)]);
      if (!done || signal.aborted) return false;
      if (!wasCertain || !this.isCertain) await reconfirm();
      this.#certainUntil = startedAt + BigInt(timing.fenceMs) * 1_000_000n;
      onCertain(this.#certainUntil);
      this.#complaint = '';
      return true;
    } catch (error) {
      const text = describeError(error);
      if (text !== this.#complaint) log.warn('cannot renew lease', { lease: nodeLeaseName(node), error: text });
      this.#complaint = text;
      return false;
    }
  }

  async #write(holder: string): Promise<void> {
    const { client, namespace, node, timing } = this.#options;
    const name = nodeLeaseName(node);
    const fields = { namespace, name, holder, seconds: Math.ceil(timing.expiryMs / 1000) };
    try {
      this.#lease =
        this.#lease === undefined
          ? await client.create(resources.leases, renderLease(fields), { namespace })
          : await client.replace(resources.leases, renderLease({ ...fields, present: this.#lease }), { namespace });
    } catch (error) {
      // Deleted, or written by our former self: nobody else writes it.
      if (!isKubeError(error, 'Conflict', 'AlreadyExists', 'NotFound')) throw error;
      this.#lease = await client.get(resources.leases, name, { namespace });
      if (this.#lease === undefined) throw error;
      this.#lease = await client.replace(resources.leases, renderLease({ ...fields, present: this.#lease }), {
        namespace,
      });
    }
  }
}
