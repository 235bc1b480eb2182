/** Owns the following of the configuration's objects, in both forms. */
import type { Logger } from '@kfctl/core';
import { delay } from '@kfctl/core';
import { createInformer, isKubeError, KubeError, resources } from '@kfctl/kube';
import type { Informer, KubeClient, KubeObject, ListOptions, ListResult, ResourceType } from '@kfctl/kube';
import { ipAddressPools, l2Advertisements } from './configuration.ts';
import type { ConfigObjects } from './configuration.ts';

export interface ConfigWatch {
  readonly synced: Promise<void>;
  readonly informers: readonly Informer<KubeObject>[];
  current(): ConfigObjects;
  /** Called after each change. */
  onChange(listener: () => void): () => void;
}

export interface ConfigWatchOptions {
  readonly client: KubeClient;
  readonly log: Logger;
  readonly namespace: string;
  readonly configName: string;
  readonly signal: AbortSignal;
}

/** Starts to follow them; `synced` rejects when the signal aborts first. */
export function watchConfiguration(options: ConfigWatchOptions): ConfigWatch {
  const { client, log, namespace, configName, signal } = options;
  const configMaps = createInformer({
    client,
    type: resources.configMaps,
    namespace,
    fieldSelector: `metadata.name=${configName}`,
    log,
  });
  const optional = toleratingAbsence(client, signal);
  const pools = createInformer({ client: optional, type: ipAddressPools, namespace, log });
  const advertisements = createInformer({ client: optional, type: l2Advertisements, namespace, log });
  const informers: readonly Informer<KubeObject>[] = [configMaps, pools, advertisements];
  for (const informer of informers) informer.start(signal);
  return {
    informers,
    synced: Promise.all(informers.map((informer) => informer.synced)).then(() => undefined),
    current: () => ({
      configMap: configMaps.get(configName, namespace),
      pools: pools.list(namespace),
      advertisements: advertisements.list(namespace),
    }),
    onChange: (listener) => {
      const forget = informers.map((informer) => informer.onChange(listener));
      return () => forget.forEach((stop) => stop());
    },
  };
}

const LOOK_AGAIN_MS = 30_000;
const ABSENT = 'absent';

/** A cluster without the definitions has no objects of them, until somebody installs them. */
function toleratingAbsence(client: KubeClient, signal: AbortSignal): Pick<KubeClient, 'list' | 'watch'> {
  return {
    list: async <T extends KubeObject>(type: ResourceType<T>, listOptions?: ListOptions): Promise<ListResult<T>> => {
      try {
        return await client.list(type, listOptions);
      } catch (error) {
        if (!isKubeError(error, 'NotFound')) throw error;
        return { items: [], resourceVersion: ABSENT };
      }
    },
    async *watch(type, watchOptions) {
      if (watchOptions?.resourceVersion !== ABSENT) return yield* client.watch(type, watchOptions);
      await delay(LOOK_AGAIN_MS, watchOptions.signal ?? signal);
      throw new KubeError({ status: 410, reason: 'Expired', message: 'time to look again' });
    },
  };
}
