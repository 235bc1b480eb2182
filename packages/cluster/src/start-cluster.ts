/** Owns the wiring of a whole local cluster: API server, controllers, network, node; and their end in the opposite order. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@kfctl/core';
import { startApiServer } from './api/start-api-server.ts';
import type { ApiServer } from './api/start-api-server.ts';
import type { ClusterConfig } from './config.ts';
import { createInformerSet } from './controllers/informer-set.ts';
import { startControllers } from './controllers/start-controllers.ts';
import type { ClusterAddresses } from './network/addresses.ts';
import { claimAddresses } from './network/claim-addresses.ts';
import type { ClusterNetwork } from './network/start-network.ts';
import { startNetwork } from './network/start-network.ts';
import { startNode } from './node/start-node.ts';
import type { StartNodeOptions } from './node/start-node.ts';
import { installOverlay } from './overlay/install-overlay.ts';
import { openOverlayDirectory } from './overlay/overlay-directory.ts';
import type { Overlay } from './overlay/overlay.ts';

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
  const { addresses, apiPort, isSingle } = await claimAddresses(config);
  const overlay = isSingle ? await startOverlay(dataDirectory, addresses) : undefined;
  const place = { host: addresses.host, port: apiPort, serviceCidr: addresses.serviceCidr };
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
  const network = await startNetwork({
    client: api.createClient('kube-proxy'),
    addresses,
    isCarried: isSingle,
    log: log.child({ part: 'network' }),
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
    ...nodeChoices(config, network, overlay),
  });
  api.connectNode(node.gateway);
  await writeFacts(dataDirectory, addresses, api);
  return {
    addresses,
    api,
    async stop() {
      parts.abort();
      await Promise.all([node.stopped, network.stopped, controllers.stopped]);
      await api.close();
    },
  };
}

function nodeChoices(
  { compileCache, sandboxes }: ClusterConfig,
  { dnsServer, hostsLines }: ClusterNetwork,
  overlay: Overlay | undefined,
): Partial<StartNodeOptions> {
  return {
    hostsLines,
    ...(overlay === undefined ? {} : { overlay }),
    ...(sandboxes === undefined ? {} : { sandboxes }),
    ...(compileCache === undefined ? {} : { compileCache }),
    ...(dnsServer === undefined ? {} : { dnsServer }),
  };
}

/** Where the machine has one loopback address, this process and those of pods reach the others through files. */
async function startOverlay(dataDirectory: string, { block }: ClusterAddresses): Promise<Overlay> {
  const overlay = { prefix: `127.${block}.`, directory: await openOverlayDirectory(dataDirectory) };
  installOverlay({ overlay });
  return overlay;
}

/** What other processes of this machine may know about the cluster; written whole or not at all. */
async function writeFacts(dataDirectory: string, addresses: ClusterAddresses, api: ApiServer): Promise<void> {
  const { host, dns, serviceCidr, podCidr, loadBalancerRange } = addresses;
  const facts = {
    apiServer: api.url,
    pid: process.pid,
    addresses: { host, dns, serviceCidr, podCidr, loadBalancerRange },
  };
  const file = join(dataDirectory, 'cluster.json');
  await writeFile(`${file}.new`, `${JSON.stringify(facts, null, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
