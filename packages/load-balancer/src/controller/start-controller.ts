/** Owns the wiring of the controller's process: the lease, the loop, health and metrics. */
import { createHttpServer, createRouter, textResponse } from '@kfctl/http';
import type { Logger, RunningProcess } from '@kfctl/core';
import { runLeaderElection } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import type { Config } from '../config.ts';
import { renderMetrics } from './render-metrics.ts';
import { runController } from './run-controller.ts';
import type { ControllerState } from './run-controller.ts';

export interface StartControllerOptions {
  readonly client: KubeClient;
  readonly config: Config;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** The listening address; every address of the host when absent. */
  readonly host?: string;
}

export interface ControllerProcess extends RunningProcess {
  readonly port: number;
}

/** Starts the process; it allocates while it holds the lease, because two allocators would give one address twice. */
export async function startController({
  client,
  config,
  log,
  signal,
  host,
}: StartControllerOptions): Promise<ControllerProcess> {
  let state: ControllerState | undefined;
  const server = createHttpServer({
    log,
    handler: createRouter([
      { method: 'GET', path: '/healthz', handler: () => textResponse(200, 'ok\n') },
      { method: 'GET', path: '/readyz', handler: () => textResponse(200, 'ok\n') },
      {
        method: 'GET',
        path: '/metrics',
        handler: () => textResponse(200, renderMetrics(state), { 'content-type': 'text/plain; version=0.0.4' }),
      },
    ]),
  });
  const port = await server.listen(config.port, host ?? config.host);
  log.info('MetalLB controller starting', { op: 'startup' });
  const leading = runLeaderElection({
    client,
    namespace: config.namespace,
    name: 'metallb-controller',
    identity: config.identity,
    log,
    signal,
    onLeading: (term) =>
      runController({ client, log, ...config, signal: term, onStart: (started) => (state = started) }),
  });
  const stop = async (): Promise<void> => {
    await Promise.all([server.close(), leading]);
    client.close();
  };
  return { port, stop };
}
