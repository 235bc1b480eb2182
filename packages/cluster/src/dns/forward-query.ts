/** Owns the passing on of queries to the machine's own resolvers. */
import { createSocket } from 'node:dgram';
import { readFile } from 'node:fs/promises';
import { isIP, isIPv6 } from 'node:net';

const TIMEOUT_MS = 2_000;
const MAX_RESOLVERS = 3;
const MAX_IN_FLIGHT = 256;

/** Addresses of the machine's resolvers; without the cluster's own. */
export async function readResolvers(file: string, own: string): Promise<readonly string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const found = [...text.matchAll(/^\s*nameserver\s+(\S+)/gm)].map((match) => match[1] ?? '');
  return found.filter((address) => isIP(address.split('%')[0] ?? '') !== 0 && address !== own).slice(0, MAX_RESOLVERS);
}

export type ForwardQuery = (packet: Buffer) => Promise<Buffer | undefined>;

/** Asks one resolver after the other; undefined when none answers. */
export function createQueryForwarder(resolvers: readonly string[], port = 53): ForwardQuery {
  let inFlight = 0;
  return async (packet) => {
    if (inFlight >= MAX_IN_FLIGHT) return undefined;
    inFlight += 1;
    try {
      for (const resolver of resolvers) {
        const answer = await ask(resolver, port, packet);
        if (answer !== undefined) return answer;
      }
      return undefined;
    } finally {
      inFlight -= 1;
    }
  };
}

/** A connected socket takes packets of that resolver alone; the id must be the one that was asked with. */
function ask(resolver: string, port: number, packet: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(resolver) ? 'udp6' : 'udp4');
    const finish = (answer: Buffer | undefined): void => {
      clearTimeout(timer);
      socket.close();
      resolve(answer);
    };
    const timer = setTimeout(() => finish(undefined), TIMEOUT_MS);
    socket.once('error', () => finish(undefined));
    socket.on('message', (answer) => {
      if (answer.length >= 12 && answer.readUInt16BE(0) === packet.readUInt16BE(0)) finish(answer);
    });
    socket.connect(port, resolver, () => socket.send(packet));
  });
}
