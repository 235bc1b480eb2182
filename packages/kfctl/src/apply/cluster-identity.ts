/** Owns the identity of a cluster: the uid of its kube-system namespace, remembered beside the app. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import { writeFileAtomically } from '../app/write-file.ts';
import { kfctlError } from '../errors.ts';

export interface ClusterIdentity {
  readonly uid: string;
  /** Address of the API server, for messages. */
  readonly server: string;
}

export const RECORD_FILE: string = path.join('.kfctl', 'cluster.json');

/** Asks the cluster who it is; the first request of every command, so that an unreachable cluster ends it at once. */
export async function identifyCluster(client: Pick<KubeClient, 'get'>, server: string): Promise<ClusterIdentity> {
  const namespace = await client.get(resources.namespaces, 'kube-system');
  const uid = namespace?.metadata.uid;
  if (uid === undefined) {
    throw kfctlError('CLUSTER_UNREACHABLE', `${server} has no namespace kube-system: is it a Kubernetes cluster?`);
  }
  return { uid, server };
}

export async function readClusterRecord(directory: string): Promise<ClusterIdentity | undefined> {
  try {
    const value = JSON.parse(await readFile(path.join(directory, RECORD_FILE), 'utf8')) as Partial<ClusterIdentity>;
    return typeof value.uid === 'string' ? { uid: value.uid, server: String(value.server) } : undefined;
  } catch {
    return undefined;
  }
}

export async function writeClusterRecord(directory: string, identity: ClusterIdentity): Promise<void> {
  await writeFileAtomically(path.join(directory, RECORD_FILE), `${JSON.stringify(identity)}\n`);
}
