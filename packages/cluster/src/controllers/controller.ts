/** Owns what all controllers share: their dependencies, and how one of them is set going. */
import type { Logger } from '@kfctl/core';
import { recordEvent, runReconciler } from '@kfctl/kube';
import type { KubeClient, KubeObject, ObjectKey, Reconcile, ReconcileSource, ResourceType } from '@kfctl/kube';
import type { InformerSet } from './informer-set.ts';

export interface ControllerDeps {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly informers: InformerSet;
  readonly signal: AbortSignal;
  now(): Date;
}

export interface ControllerEvent {
  readonly type: 'Normal' | 'Warning';
  readonly reason: string;
  readonly message: string;
}

export interface Watch {
  readonly type: ResourceType<KubeObject>;
  /** Root objects that a changed object concerns; itself when absent. */
  keys?(object: KubeObject): readonly ObjectKey[];
}

export interface Controller {
  readonly name: string;
  readonly watches: readonly Watch[];
  readonly sources?: readonly ReconcileSource[];
  readonly concurrency?: number;
  readonly reconcile: Reconcile;
}

/** Runs until the signal aborts. */
export async function runController(deps: ControllerDeps, controller: Controller): Promise<void> {
  const { name, watches, reconcile, concurrency = 4, sources = [] } = controller;
  const watched = watches.map(({ type, keys }) => ({
    informer: deps.informers.of(type),
    ...(keys === undefined ? {} : { keys }),
  }));
  await runReconciler({
    name,
    reconcile,
    concurrency,
    sources: [...watched, ...sources],
    log: deps.log,
    signal: deps.signal,
    maxBackoffMs: 30_000,
  });
}

/** Records an event in the background; it is never worth waiting for. */
export function tell(
  deps: ControllerDeps,
  component: string,
  { object, ...event }: ControllerEvent & { readonly object: KubeObject },
): void {
  const { client, now } = deps;
  void recordEvent({ client, log: quiet(deps.log), component, object, now, ...event });
}

/** In a namespace that goes away no event can be recorded any more: nothing that anybody must know. */
export function quiet(log: Logger): Logger {
  return { ...log, warn: (message, fields) => log.debug(message, fields) };
}
