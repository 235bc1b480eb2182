/** Owns the question whether an address belongs to a network of this node: hosts ask by ARP only for addresses of their own network. */
import { networkInterfaces } from 'node:os';
import type { Address } from '../address/address.ts';
import { blockContains, parseBlock } from '../address/block.ts';

/** `eth0 10.0.0.11/24` for each address of an interface that leads somewhere. */
export function readNetworks(interfaces: typeof networkInterfaces = networkInterfaces): readonly string[] {
  return Object.entries(interfaces()).flatMap(([name, addresses = []]) =>
    addresses.flatMap(({ cidr, internal }) => (cidr === null || internal ? [] : [`${name} ${cidr}`])),
  );
}

/** True when one of the networks holds the address. */
export function isOnNetwork(address: Address, networks: readonly string[]): boolean {
  return networks.some((network) => {
    const parsed = parseBlock(network.slice(network.indexOf(' ') + 1));
    return parsed.kind === 'block' && blockContains(parsed.block, address);
  });
}
