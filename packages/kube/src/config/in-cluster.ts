/** Owns the configuration of a pod: the service account that the cluster mounts, its token read anew as it rotates. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isIPv6 } from 'node:net';
import type { Environment } from '@kfctl/core';
import type { KubeConfig } from './kube-config.ts';
import { fileToken } from './token-file.ts';

const SERVICE_ACCOUNT_DIR = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The pod's configuration, or undefined outside of a pod. `KUBERNETES_SERVICEACCOUNT_DIR` names another directory. */
export async function loadInClusterConfig(env: Environment): Promise<KubeConfig | undefined> {
  const host = env['KUBERNETES_SERVICE_HOST'];
  const port = env['KUBERNETES_SERVICE_PORT'];
  if (!host || !port) return undefined;
  const directory = env['KUBERNETES_SERVICEACCOUNT_DIR'] || SERVICE_ACCOUNT_DIR;
  const [token, ca, namespace] = await Promise.all(
    ['token', 'ca.crt', 'namespace'].map((name) => read(join(directory, name))),
  );
  if (token === undefined) return undefined;
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    tls: ca === undefined ? {} : { ca },
    credentials: fileToken(join(directory, 'token')),
    namespace: namespace?.trim() || 'default',
    headers: {},
    source: 'in-cluster',
  };
}

async function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}
