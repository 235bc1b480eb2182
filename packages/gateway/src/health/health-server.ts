/** Owns the port for probes and metrics: 15021 /healthz/ready and /stats/prometheus, as Istio's gateways have them, and /healthz/live. */
import { createHttpServer, createRouter, textResponse } from '@kfctl/http';
import type { Logger } from '@kfctl/core';
import type { HttpServer } from '@kfctl/http';

export interface HealthOptions {
  /** The reason why the gateway is not ready, or undefined. */
  readonly notReady: () => string | undefined;
  readonly renderMetrics: () => string;
  readonly log: Logger;
}

export function createHealthServer({ notReady, renderMetrics, log }: HealthOptions): HttpServer {
  const handler = createRouter([
    {
      method: 'GET',
      path: '/healthz/ready',
      handler: () => {
        const reason = notReady();
        return reason === undefined ? textResponse(200, 'ready\n') : textResponse(503, `${reason}\n`);
      },
    },
    {
      method: 'GET',
      path: '/stats/prometheus',
      handler: () => textResponse(200, renderMetrics(), { 'content-type': 'text/plain; version=0.0.4' }),
    },
    { method: 'GET', path: '/healthz/live', handler: () => textResponse(200, 'alive\n') },
  ]);
  return createHttpServer({ handler, log });
}
