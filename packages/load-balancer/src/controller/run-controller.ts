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
import { createConfigState } from './config-state.ts';
import type { ConfigState } from './config-state.ts';
import { adoptAll, convergeService } from './converge-service.ts';
import type { Decision } from './converge-service.ts';
import { writeService } from './write-service.ts';

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
}

/** Resolves when the signal has aborted and the last service is done. */
export async function runController(options: ControllerOptions): Promise<void> {
  const { client, log, namespace, configName, signal, loadBalancerClass } = options;
  const services = createInformer({ client, type: resources.services, log });
  const configMaps = createInformer({
    client,
    type: resources.configMaps,
    namespace,
    fieldSelector: `metadata.name=${configName}`,
    log,
  });
  services.start(signal);
  configMaps.start(signal);
  const allocator = new Allocator();
  const config = createConfigState({ client, log, allocator, configMap: `${namespace}/${configName}` });
  options.onStart?.({ allocator, config });
  try {
    await Promise.all([services.synced, configMaps.synced]);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  const apply = (): void => {
    const first = !config.loaded;
    config.apply(configMaps.get(configName, namespace));
    if (first && config.loaded) adoptAll(services.list(), allocator, loadBalancerClass);
  };
  apply();
  const forget = configMaps.onChange(apply);
  log.info('controller synced, can allocate IPs now', { event: 'stateSynced' });
  const failures = new Map<string, string>();
  await runReconciler({
    name: 'services',
    log,
    signal,
    // One at a time: each decision rests on all before it.
    concurrency: 1,
    sources: [
      { informer: services, keys: (service: Service) => [keyOf(service), ...[...failures.keys()].map(parseKey)] },
      { informer: configMaps, keys: () => services.list().map(keyOf) },
    ],
    reconcile: (key) => reconcile({ options, services, allocator, config, failures }, key),
  });
  forget();
}

interface World extends ControllerState {
  readonly options: ControllerOptions;
  readonly services: Informer<Service>;
  /** Services that wait, and what for; each change of any service lets them try again. */
  readonly failures: Map<string, string>;
}

async function reconcile(
  { options, services, allocator, config, failures }: World,
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
  const decision = convergeService(service, allocator, options.loadBalancerClass);
  const failure = failureOf(decision);
  const isNews = failure !== undefined && failures.get(text) !== failure;
  await writeService(options, service, { decision, isNews });
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
