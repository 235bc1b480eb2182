/**
 * Owns leader election on a Lease: one of several replicas acts, the others wait.
 *
 *   campaign ──acquired──► leading ──renewal failed for the renew deadline──► onLeading's signal aborts ──► campaign
 *       ▲                     └──signal aborts──► release (holder empty, so that the next one need not wait) ──► end
 *       └── another holder's lease is unexpired: look again later
 *
 * A lease's age is judged by when we saw it change, never by comparing the other's clock with ours.
 */
import { AppError, delay, describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { KubeClient } from '../client/kube-client.ts';
import { isKubeError } from '../errors.ts';
import { leases } from '../resources/groups.ts';
import type { Lease } from '../resources/groups.ts';

export interface LeaderElectionOptions {
  readonly client: Pick<KubeClient, 'get' | 'create' | 'replace'>;
  readonly namespace: string;
  readonly name: string;
  /** Unique among the replicas; the pod's name. */
  readonly identity: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Runs while we lead; its signal aborts when leadership is lost or the process ends, and it must then end soon. */
  onLeading(signal: AbortSignal): Promise<void>;
  readonly leaseSeconds?: number;
  readonly renewDeadlineMs?: number;
  readonly retryMs?: number;
}

interface Term {
  readonly options: LeaderElectionOptions;
  readonly leaseSeconds: number;
  readonly renewDeadlineMs: number;
  readonly retryMs: number;
  observed: { readonly version: string; readonly at: number } | undefined;
}

/** Campaigns and leads until the signal aborts. Rejects when `onLeading` throws, after the lease was released. */
export async function runLeaderElection(options: LeaderElectionOptions): Promise<void> {
  const { signal, log, leaseSeconds = 15, renewDeadlineMs = 10_000, retryMs = 2000 } = options;
  if (renewDeadlineMs >= leaseSeconds * 1000)
    throw new AppError('LEASE_SETTINGS', 'the renew deadline must be shorter than the lease');
  const term: Term = { options, leaseSeconds, renewDeadlineMs, retryMs, observed: undefined };
  let complaint = '';
  while (!signal.aborted) {
    const acquired = await tryHold(term).catch((error: unknown) => {
      const text = describeError(error);
      if (text !== complaint) log.warn('cannot campaign', { lease: options.name, error: text });
      complaint = text;
      return false;
    });
    if (acquired) await lead(term);
    if (!signal.aborted) await delay(retryMs * (0.9 + 0.2 * Math.random()), signal);
  }
}

async function lead(term: Term): Promise<void> {
  const { options } = term;
  const lost = new AbortController();
  const leadingSignal = AbortSignal.any([options.signal, lost.signal]);
  options.log.info('leading', { lease: options.name, identity: options.identity });
  const work = options.onLeading(leadingSignal).finally(() => lost.abort());
  work.catch(() => undefined);
  const kept = await keepHolding(term, leadingSignal);
  lost.abort();
  if (!kept) options.log.warn('leadership lost', { lease: options.name });
  try {
    await work;
  } finally {
    // Only after the work has ended: a released lease lets the next one start at once.
    if (kept)
      await release(term).catch((error: unknown) =>
        options.log.debug('cannot release lease', { error: describeError(error) }),
      );
  }
}

/** Renews until the signal aborts (true) or until the renew deadline passes without success (false). */
async function keepHolding(term: Term, signal: AbortSignal): Promise<boolean> {
  let renewedAt = performance.now();
  while (!signal.aborted) {
    await delay(term.retryMs, signal);
    if (signal.aborted) return true;
    const startedAt = performance.now();
    const left = term.renewDeadlineMs - (startedAt - renewedAt);
    const outcome = await Promise.race([
      tryHold(term).catch(() => undefined),
      delay(Math.max(left, 0), signal).then(() => undefined),
    ]);
    if (outcome === true) renewedAt = startedAt;
    if (outcome === false || (outcome === undefined && performance.now() - renewedAt >= term.renewDeadlineMs))
      return false;
  }
  return true;
}

/** Takes or renews the lease; false when someone else holds it. Optimistic locking decides races. */
async function tryHold(term: Term): Promise<boolean> {
  const { options } = term;
  const present = await options.client.get(leases, options.name, { namespace: options.namespace });
  if (present === undefined) return write(() => options.client.create(leases, heldLease(term, undefined)));
  const version = present.metadata.resourceVersion ?? '';
  if (term.observed?.version !== version) term.observed = { version, at: performance.now() };
  const holder = present.spec?.holderIdentity ?? '';
  const seconds = present.spec?.leaseDurationSeconds ?? term.leaseSeconds;
  const unexpired = performance.now() - term.observed.at < seconds * 1000;
  if (holder !== '' && holder !== options.identity && unexpired) return false;
  return write(() => options.client.replace(leases, heldLease(term, present)));
}

async function write(act: () => Promise<Lease>): Promise<boolean> {
  try {
    await act();
    return true;
  } catch (error) {
    if (isKubeError(error, 'Conflict', 'AlreadyExists')) return false;
    throw error;
  }
}

function heldLease(term: Term, present: Lease | undefined): Lease {
  const { identity, name, namespace } = term.options;
  const now = microTime();
  const same = present?.spec?.holderIdentity === identity;
  return {
    apiVersion: 'coordination.k8s.io/v1',
    kind: 'Lease',
    metadata: present?.metadata ?? { name, namespace },
    spec: {
      holderIdentity: identity,
      leaseDurationSeconds: term.leaseSeconds,
      acquireTime: same ? (present?.spec?.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: (present?.spec?.leaseTransitions ?? 0) + (same || present === undefined ? 0 : 1),
    },
  };
}

async function release(term: Term): Promise<void> {
  const { client, name, namespace, identity } = term.options;
  const present = await client.get(leases, name, { namespace });
  if (present?.spec?.holderIdentity !== identity) return;
  const { acquireTime: _acquireTime, ...spec } = present.spec;
  await client.replace(leases, {
    ...present,
    spec: { ...spec, holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime() },
  });
}

/** metav1.MicroTime: six fractional digits. */
function microTime(): string {
  return new Date().toISOString().replace('Z', '000Z');
}
