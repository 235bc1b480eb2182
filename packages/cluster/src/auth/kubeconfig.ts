/** Owns the admin's kubeconfig. */
import type { ClusterKeys } from './cluster-keys.ts';

/** A kubeconfig (JSON is YAML) with one context, `name`, that authenticates as the cluster's admin. */
export function renderKubeconfig(name: string, server: string, keys: Pick<ClusterKeys, 'ca' | 'admin'>): string {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, 'certificate-authority-data': encode(keys.ca.certificate) } }],
    contexts: [{ name, context: { cluster: name, user: `${name}-admin` } }],
    users: [
      {
        name: `${name}-admin`,
        user: { 'client-certificate-data': encode(keys.admin.certificate), 'client-key-data': encode(keys.admin.key) },
      },
    ],
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}
