/** Owns reading and writing the configuration of dex in the cluster: one key of one ConfigMap. */
import { resources } from '@kfctl/kube';
import type { ConfigMap, KubeClient } from '@kfctl/kube';
import { kfctlError } from '../errors.ts';

const NAME = 'dex';
export const NAMESPACE = 'kubeflow';
const KEY = 'config.yaml';

export interface DexConfig {
  readonly map: ConfigMap;
  readonly text: string;
}

/** Throws `DEX_CONFIG_INVALID` when the cluster has none. */
export async function readDexConfig(client: KubeClient): Promise<DexConfig> {
  const map = await client.get(resources.configMaps, NAME, { namespace: NAMESPACE });
  const text = map?.data?.[KEY];
  if (map !== undefined && text !== undefined) return { map, text };
  throw kfctlError('DEX_CONFIG_INVALID', `the cluster has no ConfigMap ${NAMESPACE}/${NAME} with ${KEY}`, {
    hint: 'Install the platform first (kfctl apply all), or name another cluster with --kubeconfig or --context.',
  });
}

/** Writes the text; refused by the server when someone else wrote in between. */
export async function writeDexConfig(client: KubeClient, { map }: DexConfig, text: string): Promise<void> {
  await client.replace(
    resources.configMaps,
    { ...map, data: { ...map.data, [KEY]: text } },
    { fieldManager: 'kfctl-users' },
  );
}
