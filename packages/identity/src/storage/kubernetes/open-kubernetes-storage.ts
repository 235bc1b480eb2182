/** Owns finding the cluster, the namespace and the resource definitions of the Kubernetes storage. */
import { AppError } from '@kfctl/core';
import type { Environment } from '@kfctl/core';
import { createKubeClient, isKubeError, loadKubeConfig } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import type { StorageConfig } from '../../config/config.ts';
import { IDENTITY_ERRORS } from '../../errors.ts';
import { OWN_KINDS } from '../records.ts';
import type { Storage } from '../storage.ts';
import { createKubernetesStorage } from './kubernetes-storage.ts';

type Config = Extract<StorageConfig, { type: 'kubernetes' }>;

/** Throws when the API server cannot be reached or the definitions are neither there nor allowed to be made. */
export async function openKubernetesStorage(config: Config, env: Environment): Promise<Storage> {
  const kubeConfig = await loadKubeConfig(
    config.inCluster ? { env, inCluster: 'first' } : { env, kubeconfig: config.kubeConfigFile },
  );
  const client = createKubeClient(kubeConfig);
  const namespace = env['KUBERNETES_POD_NAMESPACE'] ?? kubeConfig.namespace;
  const storage = createKubernetesStorage({ client, namespace });
  try {
    await requireDefinitions(storage, client);
    await addOwnDefinitions(storage, client);
    return storage;
  } catch (error) {
    await storage.close();
    throw error;
  }
}

async function requireDefinitions(storage: Storage, client: KubeClient): Promise<void> {
  try {
    await storage.list('keys');
  } catch (error) {
    if (!isKubeError(error, 'NotFound')) throw error;
    await createDefinitions(client);
  }
}

/**
 * Beside Dex's definitions there are three of ours; where they may not be made, what needs them says so when they are used. That of
 * connectors is missing where an older provider of ours made the definitions.
 */
export async function addOwnDefinitions(storage: Storage, client: KubeClient): Promise<void> {
  for (const kind of [...OWN_KINDS, 'connector'] as const) {
    try {
      await storage.list(kind);
    } catch (error) {
      // Rights that name Dex's resources one by one.
      if (isKubeError(error, 'Forbidden')) continue;
      if (!isKubeError(error, 'NotFound')) throw error;
      const { definitionType, toDefinition } = await import('./definitions.ts');
      const made = client.apply(definitionType, toDefinition(kind), { fieldManager: 'identity', force: true });
      await made.catch((cause: unknown) => {
        if (!isKubeError(cause, 'Forbidden', 'NotFound')) throw cause;
      });
    }
  }
}

async function createDefinitions(client: KubeClient): Promise<void> {
  const { DEFINITIONS, definitionType } = await import('./definitions.ts');
  try {
    for (const definition of DEFINITIONS) {
      await client.apply(definitionType, definition, { fieldManager: 'identity', force: true });
    }
  } catch (cause) {
    if (!isKubeError(cause, 'Forbidden')) throw cause;
    throw new AppError(IDENTITY_ERRORS.storageFailed, 'the cluster does not have the resources of dex.coreos.com', {
      hint: 'Apply the CustomResourceDefinitions of dex.coreos.com, or let the service account create them.',
      cause,
    });
  }
  throw new AppError(IDENTITY_ERRORS.storageFailed, 'the resources of dex.coreos.com were made just now', {
    hint: 'They are served in a moment; this is tried again.',
  });
}
