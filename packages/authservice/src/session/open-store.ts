/** Owns the choice of a session store; each is loaded when it is the one. */
import type { Clock, Environment, Logger } from '@kfctl/core';
import type { StoreConfig } from '../config/config.ts';
import type { SessionStore } from './session-store.ts';

export interface OpenStoreDeps {
  readonly env: Environment;
  readonly clock: Clock;
  readonly log: Logger;
}

export async function openStore(config: StoreConfig, { env, clock, log }: OpenStoreDeps): Promise<SessionStore> {
  switch (config.kind) {
    case 'file': {
      const { openFileStore } = await import('./file-store.ts');
      return await openFileStore({ path: config.path, clock });
    }
    case 'redis': {
      const { openRedisStore } = await import('./redis-store.ts');
      return await openRedisStore(config.redis, log);
    }
    case 'kubernetes': {
      const { createKubeClient, loadKubeConfig } = await import('@kfctl/kube');
      const { createKubernetesStore } = await import('./kubernetes-store.ts');
      const client = createKubeClient(await loadKubeConfig({ env }));
      return createKubernetesStore({ client, namespace: config.namespace, log });
    }
  }
}
