/** Owns the one list of the cluster's controllers, and their start. */
import { join } from 'node:path';
import { describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { KubeClient } from '@kfctl/kube';
import { claimController, ensureStorageClass } from './claims/claim-controller.ts';
import { runController } from './controller.ts';
import type { Controller, ControllerDeps } from './controller.ts';
import { daemonSetController } from './daemon-set/daemon-set-controller.ts';
import { deploymentController } from './deployment/deployment-controller.ts';
import { endpointsController } from './endpoints/endpoints-controller.ts';
import { runEventExpiry } from './garbage/event-expiry.ts';
import { runGarbageCollector } from './garbage/garbage-collector.ts';
import { lostPodsController } from './garbage/lost-pods.ts';
import { createInformerSet } from './informer-set.ts';
import type { InformerSet } from './informer-set.ts';
import { jobController } from './job/job-controller.ts';
import { namespaceController } from './namespace/namespace-controller.ts';
import { namespaceDefaultsController } from './namespace/service-accounts.ts';
import { replicaSetController } from './replica-set/replica-set-controller.ts';
import { scheduler } from './scheduler/scheduler.ts';
import { statefulSetController } from './stateful-set/stateful-set-controller.ts';

export interface StartControllersOptions {
  readonly client: KubeClient;
  /** Volumes of the StorageClass `local` live below it. */
  readonly dataDirectory: string;
  /** PEM; every namespace gets it. */
  readonly caCertificate: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Watches shared with the node. */
  readonly informers?: InformerSet;
}

export interface RunningControllers {
  /** Resolves when the signal has aborted and the last reconcile has ended. */
  readonly stopped: Promise<void>;
}

export function startControllers(options: StartControllersOptions): RunningControllers {
  const { client, log, signal } = options;
  const informers = options.informers ?? createInformerSet({ client, log, signal });
  const deps: ControllerDeps = { client, log, signal, informers, now: () => new Date() };
  const controllers: readonly Controller[] = [
    namespaceDefaultsController(deps, options.caCertificate),
    scheduler(deps),
    replicaSetController(deps),
    deploymentController(deps),
    endpointsController(deps),
    statefulSetController(deps),
    daemonSetController(deps),
    jobController(deps),
    claimController(deps, join(options.dataDirectory, 'volumes')),
    namespaceController(deps),
    lostPodsController(deps),
  ];
  const loops = [
    ...controllers.map((controller) => runController(deps, controller)),
    runGarbageCollector(deps),
    runEventExpiry(deps),
    ensureStorageClass(deps),
  ];
  return { stopped: Promise.all(loops.map((loop) => guard(loop, deps))).then(() => undefined) };
}

/** A controller that ends before the signal is broken: people must see that. */
async function guard(loop: Promise<void>, { log, signal }: ControllerDeps): Promise<void> {
  try {
    await loop;
  } catch (error) {
    if (!signal.aborted) log.error('controller ended', { error: describeError(error) });
  }
}
