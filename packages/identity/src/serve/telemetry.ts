/** Owns the listener for probes: liveness says that the process answers, readiness that logins would succeed. */
import { createRouter, jsonResponse, textResponse } from '@kfctl/http';
import type { HttpHandler } from '@kfctl/http';
import type { Health } from '../health/health.ts';
import type { ConfigState } from './reload.ts';
import type { Metrics } from '../metrics/metrics.ts';

const EXPOSITION = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };

export interface TelemetryDeps {
  /** Gives undefined until the provider has started. */
  readonly health: () => Health | undefined;
  readonly metrics: Metrics;
  readonly state: Pick<ConfigState, 'refusedMistakes'>;
}

export function createTelemetry({ health, metrics, state }: TelemetryDeps): HttpHandler {
  const problem = async (): Promise<string | undefined> => {
    const current = health();
    return current === undefined ? 'starting' : await current.problem();
  };
  return createRouter([
    { method: 'GET', path: '/metrics', handler: () => textResponse(200, metrics.render(), EXPOSITION) },
    { method: 'GET', path: '/healthz/live', handler: () => textResponse(200, 'ok\n') },
    {
      method: 'GET',
      path: '/healthz/ready',
      handler: async () => {
        const text = await problem();
        return text === undefined ? textResponse(200, 'ok\n') : textResponse(503, `${text}\n`);
      },
    },
    {
      method: 'GET',
      path: '/healthz',
      handler: async () => {
        const text = await problem();
        const mistakes = state.refusedMistakes();
        // A broken file is for the operator to see, not a reason to take the provider out of service.
        const configuration =
          mistakes === undefined ? 'in use' : `newest file refused, mistakes: ${mistakes} (see the log)`;
        return jsonResponse(text === undefined ? 200 : 503, { status: text ?? 'ok', configuration });
      },
    },
  ]);
}
