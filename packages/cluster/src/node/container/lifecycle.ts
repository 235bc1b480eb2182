/** Owns the hooks around a container's life and its orderly end. */
import { delay } from '@kfctl/core';
import { tellEvent } from '../pod-event.ts';
import type { ProbeAction } from '../pod/pod-spec.ts';
import { probe } from '../probes/probe-action.ts';
import type { Begun, Start } from './begun.ts';
import { probeTarget } from './probe-target.ts';

const HOOK_MS = 600_000;

/** A container whose postStart hook fails is killed (and restarted by its policy). */
export async function runPostStart(start: Start, begun: Begun): Promise<void> {
  const { postStart } = start.state.spec.lifecycle ?? {};
  if (postStart === undefined) return;
  const result = await runHook(postStart, { start, begun, timeoutMs: HOOK_MS });
  if (result === undefined) return;
  tellEvent(start.deps, start.pod, {
    type: 'Warning',
    reason: 'FailedPostStartHook',
    message: `PostStartHook failed: ${result}`,
  });
  await terminateContainer(start, start.pod.spec.terminationGracePeriodSeconds ?? 30);
}

interface Hook {
  readonly start: Start;
  readonly begun: Begun;
  readonly timeoutMs: number;
}

/** The reason of the failure; undefined when the hook worked. */
async function runHook(action: ProbeAction, { start, begun, timeoutMs }: Hook): Promise<string | undefined> {
  if (action.sleep !== undefined) {
    await delay(Math.min(action.sleep.seconds * 1000, timeoutMs), start.deps.signal);
    return undefined;
  }
  const result = await probe(action, probeTarget(start, begun), timeoutMs);
  return result.kind === 'success' ? undefined : result.message;
}

/** preStop, SIGTERM, and SIGKILL when the grace is over; resolves when the container has ended. */
export async function terminateContainer(start: Start, graceSeconds: number): Promise<void> {
  const { state, deps, pod } = start;
  const { begun } = state;
  if (state.run.kind !== 'running' || begun === undefined) return;
  const { process } = state.run;
  const endsAt = performance.now() + graceSeconds * 1000;
  const { preStop } = state.spec.lifecycle ?? {};
  if (preStop !== undefined && graceSeconds > 0) {
    const failure = await runHook(preStop, { start, begun, timeoutMs: graceSeconds * 1000 });
    if (failure !== undefined)
      tellEvent(deps, pod, { type: 'Warning', reason: 'FailedPreStopHook', message: `PreStopHook failed: ${failure}` });
  }
  await process.terminate(Math.max(0, endsAt - performance.now()));
}
