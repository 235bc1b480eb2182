/** Owns which address a request really comes from, where proxies stand in between. */
import { BlockList, isIP } from 'node:net';
import type { HttpRequest } from '@kfctl/http';
import type { WebConfig } from '../config/config.ts';

/**
 * Undefined when no header is configured: the peer may be a proxy that everybody shares. Otherwise the header is read from
 * its end for as long as each hop is a trusted proxy, so that a client cannot choose what it is taken for.
 */
export function clientAddress(
  { headers, remoteAddress }: Pick<HttpRequest, 'headers' | 'remoteAddress'>,
  { header, trustedProxies }: WebConfig['clientRemoteIP'],
): string | undefined {
  if (header === '') return undefined;
  const trusted = networks(trustedProxies);
  const value = headers[header.toLowerCase()];
  const hops = [...String(value ?? '').split(','), remoteAddress].map((hop) => plainAddress(hop.trim()));
  const first = hops.findLast((hop) => !isTrusted(trusted, hop)) ?? hops[0] ?? '';
  return isIP(first) === 0 ? plainAddress(remoteAddress) : first;
}

function networks(list: readonly string[]): BlockList {
  const blocks = new BlockList();
  for (const network of list) {
    const [address = '', bits] = network.split('/');
    const family = isIP(address);
    const prefix = Number(bits ?? (family === 6 ? 128 : 32));
    if (family !== 0 && prefix >= 0 && prefix <= (family === 6 ? 128 : 32)) {
      blocks.addSubnet(address, prefix, family === 6 ? 'ipv6' : 'ipv4');
    }
  }
  return blocks;
}

function isTrusted(blocks: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && blocks.check(address, family === 6 ? 'ipv6' : 'ipv4');
}

function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice('::ffff:'.length) : address;
}
