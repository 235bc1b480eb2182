/** Owns the pools of cluster addresses and node ports; what is taken is read from the stored Services. */
import { isIP } from 'node:net';
import { asArray, asString, valueAt } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { StatusError } from '../registry/status-error.ts';

export interface ServiceAllocator {
  /** A free address; throws 500 when the pool is empty. */
  nextAddress(): string;
  /** Why a wanted address cannot be had. */
  refuseAddress(address: string): string | undefined;
  nextNodePort(alsoTaken: ReadonlySet<number>): number;
}

const NODE_PORTS = { first: 30_000, last: 32_767 } as const;

export function createServiceAllocator(cidr: string, services: () => Iterable<JsonObject>): ServiceAllocator {
  const pool = parseCidr(cidr);
  const takenAddresses = (): Set<string> =>
    new Set([...services()].map((service) => asString(valueAt(service, 'spec', 'clusterIP'))));
  const takenPorts = (): Set<unknown> =>
    new Set(
      [...services()].flatMap((service) =>
        asArray(valueAt(service, 'spec', 'ports')).map((port) => valueAt(port, 'nodePort')),
      ),
    );
  return {
    nextAddress() {
      const taken = takenAddresses();
      for (let number = pool.first + 1; number < pool.last; number += 1) {
        const address = renderAddress(number);
        if (!taken.has(address)) return address;
      }
      throw full('failed to allocate a serviceIP: range is full');
    },
    refuseAddress(address) {
      const number = isIP(address) === 4 ? parseAddress(address) : undefined;
      if (number === undefined) return 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
      if (number <= pool.first || number >= pool.last) {
        return `failed to allocate IP ${address}: the provided IP (${address}) is not in the valid range. The range of valid IPs is ${cidr}`;
      }
      return takenAddresses().has(address)
        ? `failed to allocate IP ${address}: provided IP is already allocated`
        : undefined;
    },
    nextNodePort(alsoTaken) {
      const taken = takenPorts();
      for (let port: number = NODE_PORTS.first; port <= NODE_PORTS.last; port += 1) {
        if (!taken.has(port) && !alsoTaken.has(port)) return port;
      }
      throw full('failed to allocate a nodePort: range is full');
    },
  };
}

function full(message: string): StatusError {
  return new StatusError(500, 'InternalError', { message: `Internal error occurred: ${message}` });
}

function parseCidr(cidr: string): { readonly first: number; readonly last: number } {
  const [address = '', bits = ''] = cidr.split('/');
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(parseAddress(address) / size) * size;
  return { first, last: first + size - 1 };
}

function parseAddress(address: string): number {
  return address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
}

function renderAddress(number: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(number / 2 ** shift) % 256).join('.');
}
