/** Owns the shared watches of the cluster's own parts: one informer a resource, however many controllers look at it. */
import { createInformer } from '@kfctl/kube';
import type { Informer, KubeClient, KubeObject, ResourceType } from '@kfctl/kube';
import type { Logger } from '@kfctl/core';

export interface InformerSet {
  /** The informer of a resource, started at its first use. */
  of<T extends KubeObject>(type: ResourceType<T>): Informer<T>;
}

export interface InformerSetOptions {
  readonly client: Pick<KubeClient, 'list' | 'watch'>;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

export function createInformerSet({ client, log, signal }: InformerSetOptions): InformerSet {
  const informers = new Map<string, Informer<KubeObject>>();
  return {
    of<T extends KubeObject>(type: ResourceType<T>): Informer<T> {
      const key = `${type.group}/${type.version}/${type.plural}`;
      const present = informers.get(key);
      if (present !== undefined) return present as Informer<T>;
      const informer = createInformer({ client, type, log });
      informers.set(key, informer as unknown as Informer<KubeObject>);
      informer.start(signal);
      return informer;
    },
  };
}
