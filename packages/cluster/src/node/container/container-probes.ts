/** Owns the meeting of a container's run with its probes: what they find out becomes state and events. */
import { tellEvent } from '../pod-event.ts';
import { runProber } from '../probes/prober.ts';
import type { ProbeKind } from '../probes/prober.ts';
import type { Begun, Start } from './begun.ts';
import { terminateContainer } from './lifecycle.ts';
import { probeTarget } from './probe-target.ts';

const TITLES: Readonly<Record<ProbeKind, string>> = {
  startup: 'Startup',
  liveness: 'Liveness',
  readiness: 'Readiness',
};

export function startProbes(start: Start, begun: Begun): void {
  const { deps, runtime, pod, state } = start;
  const probes = new AbortController();
  state.probes = probes;
  const change = (apply: () => void): void => {
    if (probes.signal.aborted) return;
    apply();
    deps.wake(runtime);
  };
  void runProber({
    target: probeTarget(start, begun),
    signal: probes.signal,
    listener: {
      onStarted: () => change(() => (state.started = true)),
      onReady: (ready) => {
        if (state.ready !== ready) change(() => (state.ready = ready));
      },
      onFailure: (kind, message) =>
        tellEvent(deps, pod, {
          type: 'Warning',
          reason: 'Unhealthy',
          message: `${TITLES[kind]} probe failed: ${message}`,
        }),
      onUnhealthy: (kind) => {
        const message = `Container ${state.spec.name} failed ${kind} probe, will be restarted`;
        tellEvent(deps, pod, { type: 'Normal', reason: 'Killing', message });
        probes.abort();
        const own = kind === 'startup' ? state.spec.startupProbe : state.spec.livenessProbe;
        const seconds = own?.terminationGracePeriodSeconds ?? pod.spec.terminationGracePeriodSeconds ?? 30;
        void terminateContainer(start, seconds);
      },
    },
  });
}
