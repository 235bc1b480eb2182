/** Owns the search for a cluster: the pod's own service account, or the kubeconfig files that kubectl would read. */
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { AppError } from '@kfctl/core';
import type { Environment } from '@kfctl/core';
import { loadInClusterConfig } from './in-cluster.ts';
import type { KubeConfig } from './kube-config.ts';

export interface LoadKubeConfigOptions {
  readonly env: Environment;
  /** A kubeconfig file to use and no other (`--kubeconfig`). */
  readonly kubeconfig?: string;
  /** A context other than the current one (`--context`). */
  readonly context?: string;
  /** `first` (servers): a pod's service account goes before KUBECONFIG. `last` (command lines): it is used when no file is found. */
  readonly inCluster?: 'first' | 'last';
}

/** Finds the cluster to talk to; throws `KUBECONFIG_MISSING` or `KUBECONFIG_INVALID` with the next step. */
export async function loadKubeConfig(options: LoadKubeConfigOptions): Promise<KubeConfig> {
  const { env, kubeconfig, context, inCluster = 'first' } = options;
  const asked = kubeconfig !== undefined || context !== undefined;
  if (inCluster === 'first' && !asked) {
    const own = await loadInClusterConfig(env);
    if (own !== undefined) return own;
  }
  const paths = kubeconfig === undefined ? defaultPaths(env) : [kubeconfig];
  const fromFiles = await readContext(paths, { env, kubeconfig, context });
  if (fromFiles !== undefined) return fromFiles;
  const own = asked ? undefined : await loadInClusterConfig(env);
  if (own !== undefined) return own;
  throw new AppError('KUBECONFIG_MISSING', `no cluster to talk to: ${paths.join(', ')} not found`, {
    hint: 'Set KUBECONFIG to the kubeconfig file of your cluster, or start a local one with `kfctl up`.',
  });
}

/** Loaded here, because a pod never needs it: YAML, exec plugins and token refreshes are 4 MB of a process that stays. */
async function readContext(
  paths: readonly string[],
  {
    env,
    kubeconfig,
    context,
  }: Pick<LoadKubeConfigOptions, 'env'> & Record<'kubeconfig' | 'context', string | undefined>,
): Promise<KubeConfig | undefined> {
  const { readKubeconfigFiles } = await import('./kubeconfig-file.ts');
  const file = await readKubeconfigFiles(paths, kubeconfig !== undefined);
  if (file === undefined) return undefined;
  const { resolveContext } = await import('./resolve-context.ts');
  return resolveContext({ file, env, ...(context === undefined ? {} : { context }) });
}

function defaultPaths(env: Environment): string[] {
  const listed = env['KUBECONFIG'];
  if (listed) return listed.split(delimiter).filter((path) => path !== '');
  return [join(env['HOME'] || homedir(), '.kube', 'config')];
}
