/** Owns leaving endpoints out that fail again and again, for a while that grows (Envoy's outlier detection by consecutive errors). */
import type { OutlierDetection } from '../../istio/traffic-policy/outlier-detection.ts';
import type { Host } from './host.ts';

/** How a request to an endpoint ended: `local` means that no answer came (no connection, reset, timeout). */
export type Outcome = 'ok' | 'error5xx' | 'gateway-error' | 'local';

export interface Outliers {
  observe(host: Host, outcome: Outcome): void;
  /** Those that may get requests: all of them, when too few would be left (minHealthPercent). */
  usable(hosts: readonly Host[]): readonly Host[];
}

export interface OutliersOptions {
  readonly settings: OutlierDetection;
  /** Milliseconds that only grow. */
  readonly now: () => number;
  /** All endpoints that there are. */
  readonly hosts: () => readonly Host[];
  readonly onEject: (host: Host) => void;
}

/** Envoy's bound for the growing time. */
const MAX_EJECTION_MS = 300_000;

export function outcomeOf(status: number): Outcome {
  if (status < 500) return 'ok';
  return status >= 502 && status <= 504 ? 'gateway-error' : 'error5xx';
}

export function createOutliers({ settings, now, hosts, onEject }: OutliersOptions): Outliers {
  const isEjected = (host: Host): boolean => {
    if (host.ejectedUntil === 0) return false;
    const at = now();
    if (at < host.ejectedUntil) return true;
    host.ejectedUntil = 0;
    host.calmSince = at;
    return false;
  };
  const eject = (host: Host): void => {
    if (isEjected(host) || !mayEject(settings, hosts().filter(isEjected).length, hosts().length)) return;
    host.ejections += 1;
    const longest = Math.max(MAX_EJECTION_MS, settings.baseEjectionMs);
    host.ejectedUntil = now() + Math.min(settings.baseEjectionMs * host.ejections, longest);
    forget(host);
    onEject(host);
  };
  return {
    observe(host, outcome) {
      if (outcome === 'ok') return calmDown(host, now(), settings);
      if (count(host, outcome, settings)) eject(host);
    },
    usable(all) {
      if (!all.some((host) => host.ejectedUntil !== 0)) return all;
      const healthy = all.filter((host) => !isEjected(host));
      return healthy.length * 100 < settings.minHealthPercent * all.length ? all : healthy;
    },
  };
}

/** One may always go (Envoy): with few endpoints the percentage would otherwise never be reached. */
function mayEject({ maxEjectionPercent }: OutlierDetection, ejected: number, all: number): boolean {
  return maxEjectionPercent > 0 && (ejected === 0 || ((ejected + 1) * 100) / all <= maxEjectionPercent);
}

/** Counts a failure; true when it was one too many. */
function count(host: Host, outcome: Outcome, settings: OutlierDetection): boolean {
  if (outcome === 'local' && settings.consecutiveLocalErrors > 0) {
    host.localErrors += 1;
    return host.localErrors >= settings.consecutiveLocalErrors;
  }
  host.errors5xx += 1;
  // A 500 is an answer of the application: the gateway reached it.
  if (outcome === 'error5xx') host.gatewayErrors = 0;
  else host.gatewayErrors += 1;
  return (
    reached(host.errors5xx, settings.consecutive5xxErrors) ||
    reached(host.gatewayErrors, settings.consecutiveGatewayErrors)
  );
}

function reached(errors: number, bound: number): boolean {
  return bound > 0 && errors >= bound;
}

function forget(host: Host): void {
  host.errors5xx = 0;
  host.gatewayErrors = 0;
  host.localErrors = 0;
}

/** Each interval without an ejection takes one step back from the growing time. */
function calmDown(host: Host, at: number, { intervalMs }: OutlierDetection): void {
  forget(host);
  if (host.ejections === 0 || host.ejectedUntil !== 0 || at - host.calmSince < intervalMs) return;
  host.ejections -= 1;
  host.calmSince = at;
}
