/** Owns what the dashboard tells about the platform: provider, version, logout address. */
import { resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';

export interface PlatformInfo {
  readonly provider: string;
  readonly providerName: string;
  readonly kubeflowVersion: string;
  readonly logoutUrl: string;
}

/** Reads the first node's provider once (`other://` when there is none) and remembers it. */
export function createPlatformInfo(options: {
  readonly client: Pick<KubeClient, 'list'>;
  readonly version: string;
  readonly logoutUrl: string;
}): () => Promise<PlatformInfo> {
  let known: Promise<string> | undefined;
  const provider = async (): Promise<string> => {
    const { items } = await options.client.list(resources.nodes);
    const spec: unknown = items[0] && 'spec' in items[0] ? items[0].spec : undefined;
    const id = typeof spec === 'object' && spec !== null && 'providerID' in spec ? spec.providerID : undefined;
    return typeof id === 'string' && id !== '' ? id : 'other://';
  };
  return async () => {
    known ??= provider();
    const id = await known.catch(() => {
      known = undefined;
      return 'other://';
    });
    const providerName = id.split(':')[0] ?? 'other';
    return { provider: id, providerName, kubeflowVersion: options.version, logoutUrl: options.logoutUrl };
  };
}
