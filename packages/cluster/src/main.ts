/** The local cluster's process: addresses, API server, controllers, node, service addresses, names. */
import { mkdir, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { AppError, createLogger, runProcess } from '@kfctl/core';
import { startApiServer } from './api/start-api-server.ts';
import { createInformerSet } from './controllers/informer-set.ts';
import { startControllers } from './controllers/start-controllers.ts';
import { claimAddresses } from './network/claim-addresses.ts';
import { startNetwork } from './network/start-network.ts';
import { startNode } from './node/start-node.ts';

const API_PORT = 6443;
const log = createLogger({ fields: { component: 'cluster' } });

await runProcess({
  log,
  graceMs: 2500,
  start: async (signal) => {
    const dataDirectory = dataDirectoryOf(process.argv.slice(2));
    await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
    const addresses = await claimAddresses(dataDirectory, API_PORT);
    const { host, serviceCidr } = addresses;
    const api = await startApiServer({ dataDirectory, host, port: API_PORT, serviceCidr, log });

    const informers = createInformerSet({ client: api.createClient('cluster'), log, signal });
    const controllers = startControllers({
      client: api.createClient('controllers'),
      dataDirectory,
      caCertificate: api.caCertificate,
      log,
      signal,
      informers,
    });
    const network = await startNetwork({ client: api.createClient('network'), addresses, log, signal, informers });
    const compileCache = process.env['NODE_COMPILE_CACHE'];
    const node = await startNode({
      client: api.createClient('node'),
      dataDirectory,
      addresses,
      apiServer: { host, port: api.port },
      log,
      signal,
      informers,
      ...(network.dnsServer === undefined ? {} : { dnsServer: network.dnsServer }),
      ...(network.hostsLines === undefined ? {} : { hostsLines: network.hostsLines }),
      ...(compileCache === undefined ? {} : { compileCache }),
    });
    api.connectNode(node.gateway);
    await writeFacts(path.join(dataDirectory, 'cluster.json'), { apiServer: api.url, pid: process.pid, addresses });
    process.send?.({ kind: 'ready' });
    process.on('disconnect', () => process.kill(process.pid, 'SIGTERM'));
    log.info('cluster ready', { apiServer: api.url });
    return {
      stop: async () => {
        await Promise.all([controllers.stopped, node.stopped, network.stopped]);
        await api.close();
      },
    };
  },
});

function dataDirectoryOf(args: readonly string[]): string {
  const [flag, directory] = args;
  if (flag !== '--data-dir' || directory === undefined || args.length > 2) {
    throw new AppError('USAGE', 'usage: cluster --data-dir DIRECTORY', {
      hint: 'kfctl up starts the cluster for you.',
    });
  }
  return path.resolve(directory);
}

/** What `kfctl up` reads; written whole or not at all. */
async function writeFacts(file: string, facts: object): Promise<void> {
  await writeFile(`${file}.new`, `${JSON.stringify(facts, undefined, 2)}\n`, { mode: 0o600 });
  await rename(`${file}.new`, file);
}
