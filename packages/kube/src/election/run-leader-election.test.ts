import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { silentLogger } from '@kfctl/core';
import type { KubeObject, ResourceType } from '../client/object.ts';
import { KubeError } from '../errors.ts';
import type { Lease } from '../resources/groups.ts';
import { runLeaderElection } from './run-leader-election.ts';
import type { LeaderElectionOptions } from './run-leader-election.ts';

const conflict = (): KubeError => new KubeError({ status: 409, reason: 'Conflict', message: 'stale' });

/** One lease with optimistic locking, kept in memory. */
class LeaseStore {
  lease: Lease | undefined;
  down = false;
  #version = 0;

  client: LeaderElectionOptions['client'] = {
    get: async <T extends KubeObject>() => (
      await this.#reach(),
      structuredClone(this.lease) as unknown as T | undefined
    ),
    create: async <T extends KubeObject>(_type: ResourceType<T>, object: T) => {
      await this.#reach();
      if (this.lease !== undefined) throw conflict();
      return this.#store(object);
    },
    replace: async <T extends KubeObject>(_type: ResourceType<T>, object: T) => {
      await this.#reach();
      if (object.metadata.resourceVersion !== this.lease?.metadata.resourceVersion) throw conflict();
      return this.#store(object);
    },
  };

  async #reach(): Promise<void> {
    await new Promise(setImmediate);
    if (this.down) throw new Error('down');
  }

  #store<T extends KubeObject>(object: T): T {
    const stored = structuredClone(object);
    stored.metadata.resourceVersion = String((this.#version += 1));
    this.lease = stored as unknown as Lease;
    return stored;
  }
}

const settings = {
  namespace: 'n',
  name: 'l',
  log: silentLogger,
  leaseSeconds: 30,
  renewDeadlineMs: 20_000,
  retryMs: 5,
};

interface Candidate {
  readonly leads: Promise<AbortSignal>;
  readonly ended: Promise<void>;
  stop(): Promise<void>;
}

function campaign(
  store: LeaseStore,
  identity: string,
  options: { leaders?: Set<string>; renewDeadlineMs?: number } = {},
): Candidate {
  const { leaders = new Set<string>(), ...more } = options;
  const abort = new AbortController();
  const leads = Promise.withResolvers<AbortSignal>();
  const ended = Promise.withResolvers<void>();
  const done = runLeaderElection({
    ...settings,
    ...more,
    client: store.client,
    identity,
    signal: abort.signal,
    onLeading: async (signal) => {
      leaders.add(identity);
      assert.equal(leaders.size, 1, `leading together: ${[...leaders].join()}`);
      leads.resolve(signal);
      if (!signal.aborted)
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      leaders.delete(identity);
      ended.resolve();
    },
  });
  const stop = async (): Promise<void> => {
    abort.abort();
    await done;
  };
  return { leads: leads.promise, ended: ended.promise, stop };
}

describe('runLeaderElection', () => {
  it('lets one lead, and hands over at once when it stops', async () => {
    const store = new LeaseStore();
    const leaders = new Set<string>();
    const first = campaign(store, 'a', { leaders });
    await first.leads;
    const second = campaign(store, 'b', { leaders });
    assert.equal(store.lease?.spec?.holderIdentity, 'a');
    await first.stop();
    assert.equal(store.lease?.spec?.holderIdentity, '');
    await second.leads;
    assert.equal(store.lease?.spec?.leaseTransitions, 1);
    await second.stop();
  });

  it('takes over from a holder that is silent for the lease time, whatever the clocks say', async () => {
    const store = new LeaseStore();
    store.lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: { name: 'l', namespace: 'n', resourceVersion: 'x' },
      spec: { holderIdentity: 'gone', leaseDurationSeconds: 0.02, renewTime: '2999-01-01T00:00:00.000000Z' },
    };
    const candidate = campaign(store, 'a');
    await candidate.leads;
    await candidate.stop();
  });

  it('stops leading when it cannot renew', async () => {
    const store = new LeaseStore();
    const candidate = campaign(store, 'a', { renewDeadlineMs: 20 });
    const signal = await candidate.leads;
    store.down = true;
    await candidate.ended;
    assert.equal(signal.aborted, true);
    store.down = false;
    await candidate.stop();
  });

  it('stops leading when another has taken the lease', async () => {
    const store = new LeaseStore();
    const candidate = campaign(store, 'a');
    await candidate.leads;
    if (store.lease?.spec)
      store.lease = {
        ...store.lease,
        metadata: { ...store.lease.metadata, resourceVersion: 'taken' },
        spec: { ...store.lease.spec, holderIdentity: 'b', leaseDurationSeconds: 60 },
      };
    await candidate.ended;
    await candidate.stop();
    assert.equal(store.lease?.spec?.holderIdentity, 'b');
  });

  it('rejects and releases when the work fails', async () => {
    const store = new LeaseStore();
    const onLeading = (): Promise<void> => Promise.reject(new Error('work failed'));
    await assert.rejects(
      runLeaderElection({
        ...settings,
        client: store.client,
        identity: 'a',
        signal: new AbortController().signal,
        onLeading,
      }),
      /work failed/,
    );
    assert.equal(store.lease?.spec?.holderIdentity, '');
  });
});
