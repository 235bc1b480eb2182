/** Owns the speaker's side of the announcing thread: commands to it, its reports, its orderly end. */
import { write } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { AppError, delay, describeError, releaseMemory } from '@kfctl/core';
import type { AddressCounters, Answered, AnnouncerSettings, Claimant, Command, Report } from './messages.ts';

export interface AnnouncerListener {
  /** The interfaces on which announcing makes sense have changed. */
  onLinks(names: readonly string[]): void;
  onAnswered(answered: Answered): void;
  onConflict(address: string, claimant: Claimant): void;
  onYielded(address: string, claimant: Claimant): void;
  /** The thread has died: nothing is announced any more. */
  onDeath(error: Error): void;
}

export interface Announcer {
  announce(address: string, interfaces: readonly string[] | undefined): void;
  /** Resolves when nothing about the address is answered any more. */
  withdraw(address: string): Promise<void>;
  /** Asks the network whether somebody has the address; a quarter of a second. */
  probe(address: string, interfaces: readonly string[] | undefined): Promise<Claimant | undefined>;
  /** Ownership of all addresses is certain until then (process.hrtime, nanoseconds). */
  setFence(until: bigint): void;
  counters(): Promise<readonly AddressCounters[]>;
  /** Resolves when the thread has ended, and with it every answer. */
  stop(): Promise<void>;
}

export interface AnnouncerOptions {
  readonly excluded: readonly string[];
  readonly refreshMs: number;
  readonly listener: AnnouncerListener;
}

const WAKE = Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);

/** Starts the thread. That the capability NET_RAW is missing shows only with the first address. */
export async function startAnnouncer({ excluded, refreshMs, listener }: AnnouncerOptions): Promise<Announcer> {
  const fence = new SharedArrayBuffer(8);
  const limits = new BigInt64Array(fence);
  const { post, ask, ended } = await startThread({ excluded, refreshMs, fence }, listener);
  return {
    announce: (address, interfaces) => post({ kind: 'announce', address, interfaces }),
    withdraw: async (address) => void (await ask((id) => ({ kind: 'withdraw', id, address }))),
    probe: async (address, interfaces) => {
      const report = await ask((id) => ({ kind: 'probe', id, address, interfaces }));
      return report?.kind === 'probed' ? report.claimant : undefined;
    },
    setFence: (until) => void Atomics.store(limits, 0, until),
    counters: async () => {
      const report = await ask((id) => ({ kind: 'count', id }));
      return report?.kind === 'counted' ? report.counters : [];
    },
    stop: async () => {
      post({ kind: 'stop' });
      // Waiting in the kernel it cannot be terminated; it has been woken and ends by itself.
      await Promise.race([ended, delay(2000)]);
    },
  };
}

interface Thread {
  post(command: Command): void;
  /** Undefined when the thread has ended instead. */
  ask(render: (id: number) => Command): Promise<Report | undefined>;
  readonly ended: Promise<void>;
}

async function startThread(settings: AnnouncerSettings, listener: AnnouncerListener): Promise<Thread> {
  const worker = new Worker(new URL('./announcer-worker.ts', import.meta.url), {
    workerData: settings,
    // Small heaps: a table of addresses and one frame at a time.
    resourceLimits: { maxYoungGenerationSizeMb: 2, maxOldGenerationSizeMb: 32 },
  });
  const ready = Promise.withResolvers<number>();
  const ended = Promise.withResolvers<void>();
  const waiting = new Map<number, (report: Report | undefined) => void>();
  let alive = true;
  worker.once('error', (error: unknown) => {
    ready.reject(error);
    listener.onDeath(error instanceof Error ? error : new Error(describeError(error)));
  });
  worker.once('exit', () => {
    alive = false;
    for (const answer of waiting.values()) answer(undefined);
    ready.reject(new AppError('ANNOUNCER', 'the announcing thread ended at its start'));
    ended.resolve();
  });
  worker.on('message', (report: Report) => {
    if ('id' in report) {
      waiting.get(report.id)?.(report);
      waiting.delete(report.id);
    } else if (report.kind === 'ready') ready.resolve(report.wakeFd);
    else if (report.kind === 'settled') {
      releaseMemory();
      void ready.promise.then(() => post({ kind: 'tidy' }));
    } else tell(listener, report);
  });
  const wakeFd = await ready.promise;
  const post = (command: Command): void => {
    worker.postMessage(command, []);
    // A dead thread's descriptor may be somebody else's by now.
    if (alive) write(wakeFd, WAKE, () => undefined);
  };
  let lastId = 0;
  const ask = (render: (id: number) => Command): Promise<Report | undefined> =>
    new Promise((resolve) => {
      if (!alive) return resolve(undefined);
      lastId += 1;
      waiting.set(lastId, resolve);
      post(render(lastId));
    });
  return { post, ask, ended: ended.promise };
}

function tell(listener: AnnouncerListener, report: Report): void {
  switch (report.kind) {
    case 'links':
      return listener.onLinks(report.names);
    case 'answered':
      return listener.onAnswered(report);
    case 'conflict':
      return listener.onConflict(report.address, report.claimant);
    case 'yielded':
      return listener.onYielded(report.address, report.claimant);
    default:
  }
}
