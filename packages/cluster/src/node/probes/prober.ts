/**
 * Owns the probes of one running container:
 *
 *   startup (if any) ──succeeded──► liveness  ──failed too often──► onUnhealthy
 *                                └► readiness ◄──► ready / not ready
 *
 * Timings are Kubernetes' own, with one addition: before its first success a probe is tried at once and then at short intervals.
 * Those extra tries can only succeed: failures count at the probe's own pace alone, so nothing is killed earlier than on a cluster.
 */
import { delay } from '@kfctl/core';
import type { ProbeSpec } from '../pod/pod-spec.ts';
import { probe } from './probe-action.ts';
import type { ProbeResult, ProbeTarget } from './probe-action.ts';

export type ProbeKind = 'startup' | 'liveness' | 'readiness';

export interface ProberListener {
  onStarted(): void;
  onReady(ready: boolean): void;
  /** The container is to be killed. */
  onUnhealthy(kind: ProbeKind, message: string): void;
  onFailure(kind: ProbeKind, message: string): void;
}

export interface ProberOptions {
  readonly target: ProbeTarget;
  readonly listener: ProberListener;
  readonly signal: AbortSignal;
}

const FIRST_TRIES = { intervalMs: 60, execIntervalMs: 400, untilMs: 20_000, growth: 1.1 } as const;

/** Probes until the signal aborts. Without probes the container is started and ready at once. */
export async function runProber(options: ProberOptions): Promise<void> {
  const { startupProbe, livenessProbe, readinessProbe } = options.target.container;
  if (startupProbe !== undefined) await runLoop(options, 'startup', startupProbe);
  if (options.signal.aborted) return;
  options.listener.onStarted();
  if (readinessProbe === undefined) options.listener.onReady(true);
  await Promise.all([
    livenessProbe === undefined ? undefined : runLoop(options, 'liveness', livenessProbe),
    readinessProbe === undefined ? undefined : runLoop(options, 'readiness', readinessProbe),
  ]);
}

interface Counts {
  successes: number;
  failures: number;
}

/** A startup probe's loop ends with its success; the others end with the signal (or the container's death sentence). */
async function runLoop(options: ProberOptions, kind: ProbeKind, spec: ProbeSpec): Promise<void> {
  const { signal } = options;
  const periodMs = Math.max(1, spec.periodSeconds ?? 10) * 1000;
  const counts: Counts = { successes: 0, failures: 0 };
  await delay((spec.initialDelaySeconds ?? 0) * 1000, signal);
  if (kind !== 'liveness' && (await tryEarly(options, spec, periodMs))) {
    if (judge(options, { kind, spec, counts }, { kind: 'success' })) return;
    await delay(periodMs, signal);
  }
  while (!signal.aborted) {
    const startedAt = performance.now();
    const result = await probe(spec, options.target, timeoutOf(spec));
    if (signal.aborted || judge(options, { kind, spec, counts }, result)) return;
    await delay(Math.max(0, periodMs - (performance.now() - startedAt)), signal);
  }
}

function timeoutOf(spec: ProbeSpec): number {
  return Math.max(1, spec.timeoutSeconds ?? 1) * 1000;
}

/** True after the first success; false when the early time is over. */
async function tryEarly(options: ProberOptions, spec: ProbeSpec, periodMs: number): Promise<boolean> {
  const { signal, target } = options;
  let pauseMs: number = spec.exec === undefined ? FIRST_TRIES.intervalMs : FIRST_TRIES.execIntervalMs;
  const endsAt =
    performance.now() + Math.min(FIRST_TRIES.untilMs, periodMs * Math.max(1, (spec.failureThreshold ?? 3) - 1));
  while (!signal.aborted && performance.now() < endsAt) {
    await delay(pauseMs, signal);
    pauseMs *= FIRST_TRIES.growth;
    const result = await probe(spec, target, timeoutOf(spec));
    if (result.kind === 'success') return !signal.aborted;
  }
  return false;
}

interface Judged {
  readonly kind: ProbeKind;
  readonly spec: ProbeSpec;
  readonly counts: Counts;
}

/** Counts a result and tells the listener; true when this probe has nothing more to find out. */
function judge({ listener }: ProberOptions, { kind, spec, counts }: Judged, result: ProbeResult): boolean {
  if (result.kind === 'success') {
    counts.failures = 0;
    counts.successes += 1;
    if (kind === 'startup') return true;
    if (kind === 'readiness' && counts.successes >= (spec.successThreshold ?? 1)) listener.onReady(true);
    return false;
  }
  counts.successes = 0;
  counts.failures += 1;
  listener.onFailure(kind, result.message);
  if (counts.failures < (spec.failureThreshold ?? 3)) return false;
  if (kind === 'readiness') listener.onReady(false);
  else listener.onUnhealthy(kind, result.message);
  return kind !== 'readiness';
}
