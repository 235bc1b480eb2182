/** Owns the start of a listener: where its port is, and which address the wildcard means here. */
import type { AddressInfo, Server } from 'node:net';

/** What net, http, https and http2 servers have alike. */
export interface Listenable {
  listen(port: number, host: string, listening: () => void): unknown;
  once(event: 'error', listener: (error: Error) => void): unknown;
  off(event: 'error', listener: (error: Error) => void): unknown;
  address(): ReturnType<Server['address']>;
}

/**
 * Starts a server and resolves with its port; rejects when the address is taken or forbidden.
 * The wildcard host means "every address of this host". Where pods share one network namespace, the node names the address
 * that is the pod's own in KFCTL_WILDCARD_ADDRESS, and the wildcard means that one.
 */
export function listen(server: Listenable, port: number, host = '0.0.0.0'): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, ownAddress(host), () => {
      server.off('error', reject);
      resolve((server.address() as AddressInfo).port);
    });
  });
}

function ownAddress(host: string): string {
  const wildcard = host === '0.0.0.0' || host === '::' || host === '';
  return wildcard ? (process.env['KFCTL_WILDCARD_ADDRESS'] ?? '0.0.0.0') : host;
}
