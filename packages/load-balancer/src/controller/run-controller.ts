/**
 * Owns the life of the controller while it leads:
 *
 *   services and configuration listed -> what statuses say is confirmed -> each change converges its service, and those that wait
 *
 * Nothing is given away before everything that is in use is known. The only memory is the services' status.
 */
import type { Logger } from '@kfctl/core';
import { createInformer, keyOf, resources, runReconciler } from '@kfctl/kube';
import type { Informer, KubeClient, ObjectKey, Service } from '@kfctl/kube';
import { Allocator } from '../allocate/allocator.ts';
import { watchConfiguration } from '../pools/watch-configuration.ts';
import type { ConfigWatch } from '../pools/watch-configuration.ts';
import { createConfigState } from './config-state.ts';
import type { ConfigState } from './config-state.ts';
import { adoptAll, byAge, convergeService } from './converge-service.ts';
import type { Decision, Surroundings } from './converge-service.ts';
import { createPoolStatusWriter } from './pool-status.ts';
import { writeService } from './write-service.ts';
import type { WriteCounts } from './write-service.ts';

export interface ControllerOptions {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly namespace: string;
  /** The ConfigMap's name. */
  readonly configName: string;
  /** Serves services of this class; empty: those without one. */
  readonly loadBalancerClass: string;
  readonly signal: AbortSignal;
  /** Told once, so that metrics can be read. */
  readonly onStart?: (state: ControllerState) => void;
}

export interface ControllerState {
  readonly allocator: Allocator;
  readonly config: ConfigState;
  readonly writes: WriteCounts;
}

/** Resolves when the signal has aborted and the last service is done. */
export async function runController(options: ControllerOptions): Promise<void> {
  const { client, log, namespace, configName, signal, loadBalancerClass } = options;
  const services = createInformer({ client, type: resources.services, log });
  const namespaces = createInformer({ client, type: resources.namespaces, log });
  for (const informer of [services, namespaces]) informer.start(signal);
  const configs = watchConfiguration({ client, log, namespace, configName, signal });
  const allocator = new Allocator();
  const config = createConfigState({ client, log, allocator, configMap: `${namespace}/${configName}` });
  const writes = { done: 0, failed: 0 };
  options.onStart?.({ allocator, config, writes });
  try {
    await Promise.all([services.synced, namespaces.synced, configs.synced]);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  const statuses = createPoolStatusWriter({ client, log, allocator, config, current: configs.current });
  const labelsOf: Surroundings['labelsOf'] = (name) => namespaces.get(name)?.metadata.labels ?? {};
  const surroundings: Surroundings = { loadBalancerClass, labelsOf };
  const apply = (): void => {
    const first = !config.loaded;
    config.apply(configs.current());
    if (first && config.loaded) adoptAll(services.list(), allocator, surroundings);
    statuses.touch();
  };
  apply();
  const forget = forEachRealChange(configs, apply);
  log.info('controller synced, can allocate IPs now', { event: 'stateSynced' });
  const failures = new Map<string, string>();
  const everyService = (): readonly ObjectKey[] => byAge(services.list()).map(keyOf);
  await runReconciler({
    name: 'services',
    log,
    signal,
    // One at a time: each decision rests on all before it.
    concurrency: 1,
    sources: [
      { informer: services, keys: (service) => [keyOf(service), ...[...failures.keys()].map(parseKey)] },
      { informer: namespaces, keys: ({ metadata }) => services.list(metadata.name).map(keyOf) },
      ...configs.informers.map((informer) => ({ informer, keys: everyService })),
    ],
    reconcile: async (key) => {
      const world = { options, services, allocator, config, writes, failures, surroundings };
      await reconcile(world, key).finally(() => statuses.touch());
      return undefined;
    },
  });
  forget();
  statuses.stop();
}

/** Our own writes to statuses change the objects too, and mean nothing for the configuration. */
function forEachRealChange(configs: ConfigWatch, apply: () => void): () => void {
  const render = (): string => {
    const { configMap, pools, advertisements } = configs.current();
    const specs = [...pools, ...advertisements].map(({ kind, metadata, spec }) => [
      kind,
      metadata.name,
      metadata.labels,
      spec,
    ]);
    return JSON.stringify([configMap?.data?.['config'] ?? null, configMap === undefined, specs]);
  };
  let last = render();
  return configs.onChange(() => {
    const now = render();
    if (now === last) return;
    last = now;
    apply();
  });
}

interface World extends ControllerState {
  readonly options: ControllerOptions;
  readonly services: Informer<Service>;
  /** Services that wait, and what for; each change of any service lets them try again. */
  readonly failures: Map<string, string>;
  readonly surroundings: Surroundings;
}

async function reconcile(
  { options, services, allocator, config, writes, failures, surroundings }: World,
  key: ObjectKey,
): Promise<undefined> {
  const text = `${key.namespace}/${key.name}`;
  const service = services.get(key.name, key.namespace);
  if (service === undefined) {
    failures.delete(text);
    if (allocator.release(text)) options.log.info('service deleted', { event: 'serviceDeleted', service: text });
    return undefined;
  }
  if (!config.loaded) {
    options.log.debug('not processing, still waiting for config', { event: 'noConfig', service: text });
    return undefined;
  }
  const decision = convergeService(service, allocator, surroundings);
  const failure = failureOf(decision);
  const isNews = failure !== undefined && failures.get(text) !== failure;
  await writeService({ ...options, writes }, service, { decision, isNews });
  if (failure === undefined) failures.delete(text);
  else failures.set(text, failure);
  return undefined;
}

function failureOf(decision: Decision): string | undefined {
  return decision.kind === 'waiting' || decision.kind === 'invalid' ? decision.reason : undefined;
}

function parseKey(text: string): ObjectKey {
  const slash = text.indexOf('/');
  return { namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}
