/** Owns the answers to probes: 15021 /healthz/ready, as Istio's gateways have it, and /healthz/live. */
import { createHttpServer, createRouter, textResponse } from '@kfctl/core';
import type { HttpServer, Logger } from '@kfctl/core';

export interface HealthOptions {
  /** The reason why the gateway is not ready, or undefined. */
  readonly notReady: () => string | undefined;
  readonly log: Logger;
}

export function createHealthServer({ notReady, log }: HealthOptions): HttpServer {
  const handler = createRouter([
    {
      method: 'GET',
      path: '/healthz/ready',
      handler: () => {
        const reason = notReady();
        return reason === undefined ? textResponse(200, 'ready\n') : textResponse(503, `${reason}\n`);
      },
    },
    { method: 'GET', path: '/healthz/live', handler: () => textResponse(200, 'alive\n') },
  ]);
  return createHttpServer({ handler, log });
}
