/** Owns the start of the cluster's network: service addresses and names. */
import { describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import { createInformerSet } from '../controllers/informer-set.ts';
import type { InformerSet } from '../controllers/informer-set.ts';
import type { ClusterObjects } from '../dns/cluster-names.ts';
import { createQueryForwarder, readResolvers } from '../dns/forward-query.ts';
import { startDnsServer } from '../dns/dns-server.ts';
import type { DnsServer } from '../dns/dns-server.ts';
import { hostsLines } from '../dns/hosts-lines.ts';
import type { ClusterAddresses } from './addresses.ts';
import { runServiceProxy } from './service-proxy.ts';

export interface StartNetworkOptions {
  readonly client: KubeClient;
  readonly addresses: ClusterAddresses;
  /** The addresses exist in the overlay only: nothing but its own processes could ask for names there. */
  readonly isCarried?: boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Watches shared with the controllers. */
  readonly informers?: InformerSet;
  /** 53 when absent. */
  readonly dnsPort?: number;
}

export interface ClusterNetwork {
  /** Answers DNS on port 53; undefined where that cannot be bound: then pods get names by `hostsLines`. */
  readonly dnsServer: string | undefined;
  /** The cluster's names as lines of a hosts file, as a pod of the namespace may use them. */
  hostsLines(namespace: string): readonly string[];
  /** Resolves when the signal has aborted and everything is closed. */
  readonly stopped: Promise<void>;
}

/** Resolves when the addresses of all services that there are can be reached, or have told why not. */
export async function startNetwork(options: StartNetworkOptions): Promise<ClusterNetwork> {
  const { client, addresses, log, signal } = options;
  const informers = options.informers ?? createInformerSet({ client, log, signal });
  const services = informers.of(resources.services);
  const endpoints = informers.of(resources.endpoints);
  const objects = {
    service: (name: string, namespace: string) => services.get(name, namespace),
    endpoints: (name: string, namespace: string) => endpoints.get(name, namespace),
    services: () => services.list(),
  };
  const dns = options.isCarried === true ? undefined : await startDns(options, objects);
  const { promise: settled, resolve: onSettled } = Promise.withResolvers<void>();
  const proxyOptions = { client, informers, nodeAddress: addresses.host, log, signal, onSettled };
  const proxy = runServiceProxy(proxyOptions).catch((error: unknown) => {
    if (!signal.aborted) log.error('service proxy ended', { error: describeError(error) });
  });
  await Promise.race([settled, proxy]);
  return {
    dnsServer: dns === undefined ? undefined : addresses.dns,
    hostsLines: (namespace) => hostsLines(objects, namespace),
    stopped: proxy.then(() => closeWith(dns, signal)),
  };
}

async function startDns(
  { addresses, dnsPort = 53, log }: StartNetworkOptions,
  objects: ClusterObjects,
): Promise<DnsServer | undefined> {
  const forward = createQueryForwarder(await readResolvers('/etc/resolv.conf', addresses.dns));
  try {
    return await startDnsServer({ address: addresses.dns, port: dnsPort, objects, forward });
  } catch (error) {
    log.info('no cluster DNS server, pods get hosts files', { address: addresses.dns, error: describeError(error) });
    return undefined;
  }
}

async function closeWith(dns: DnsServer | undefined, signal: AbortSignal): Promise<void> {
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
  dns?.close();
}
