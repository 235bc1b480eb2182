/** Owns the listener for probes: liveness says that the process answers, readiness that logins would succeed. */
import { createRouter, jsonResponse, textResponse } from '@kfctl/core';
import type { HttpHandler } from '@kfctl/core';
import type { Health } from '../health/health.ts';
import type { Metrics } from '../metrics/metrics.ts';

const EXPOSITION = { 'content-type': 'text/plain; version=0.0.4; charset=utf-8' };

/** `health` gives undefined until the provider has started. */
export function createTelemetry(health: () => Health | undefined, metrics: Metrics): HttpHandler {
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
        return jsonResponse(text === undefined ? 200 : 503, text === undefined ? { status: 'ok' } : { status: text });
      },
    },
  ]);
}
