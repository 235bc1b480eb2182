/** Owns the wiring of a whole local cluster: API server, controllers, node; and their end in the opposite order. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@kfctl/core';
import { startApiServer } from './api/start-api-server.ts';
import type { ApiServer } from './api/start-api-server.ts';
import type { ClusterConfig } from './config.ts';
import { createInformerSet } from './controllers/informer-set.ts';
import { startControllers } from './controllers/start-controllers.ts';
import type { ClusterAddresses } from './network/addresses.ts';
import { claimAddresses } from './network/claim-addresses.ts';
import { startNode } from './node/start-node.ts';

export interface RunningCluster {
  readonly addresses: ClusterAddresses;
  readonly api: ApiServer;
  /** Ends pods first, then controllers, then the API server. */
  stop(): Promise<void>;
}

/** Starts everything; resolves when the API server serves and the node takes pods. */
export async function startCluster(config: ClusterConfig, log: Logger): Promise<RunningCluster> {
  const { dataDirectory } = config;
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const addresses = await claimAddresses(dataDirectory, config.apiPort);
  const place = { host: addresses.host, port: config.apiPort, serviceCidr: addresses.serviceCidr };
  const api = await startApiServer({ dataDirectory, ...place, log: log.child({ part: 'api' }) });
  const parts = new AbortController();
  const { signal } = parts;
  const informers = createInformerSet({ client: api.createClient('kube-controller-manager'), log, signal });
  const controllers = startControllers({
    client: api.createClient('kube-controller-manager'),
    dataDirectory,
    caCertificate: api.caCertificate,
    log: log.child({ part: 'controllers' }),
    signal,
    informers,
  });
  const node = await startNode({
    client: api.createClient('kubelet'),
    dataDirectory,
    addresses,
    apiServer: { host: addresses.host, port: api.port },
    log: log.child({ part: 'node' }),
    signal,
    informers,
    ...(config.compileCache === undefined ? {} : { compileCache: config.compileCache }),
  });
  api.connectNode(node.gateway);
  await writeFacts(dataDirectory, addresses, api);
  return {
    addresses,
    api,
    async stop() {
      parts.abort();
      await Promise.all([node.stopped, controllers.stopped]);
      await api.close();
    },
  };
}

/** What other processes of this machine may know about the cluster. */
async function writeFacts(dataDirectory: string, addresses: ClusterAddresses, api: ApiServer): Promise<void> {
  const { host, dns, serviceCidr, podCidr, loadBalancerRange } = addresses;
  const facts = { url: api.url, addresses: { host, dns, serviceCidr, podCidr, loadBalancerRange } };
  await writeFile(join(dataDirectory, 'cluster.json'), `${JSON.stringify(facts, null, 2)}\n`, { mode: 0o600 });
}
