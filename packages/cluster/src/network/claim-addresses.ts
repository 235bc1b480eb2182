/** Owns the choice of a block of addresses: the one that the data directory remembers, otherwise the first that nobody uses. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { AppError } from '@kfctl/core';
import { FIRST_BLOCK, LAST_BLOCK, clusterAddresses } from './addresses.ts';
import type { ClusterAddresses } from './addresses.ts';
import { listenOn } from './listen-on.ts';

const FILE = 'address-block';

/**
 * Resolves with the block of this data directory. A new directory gets the first free one from a place on that follows from its path,
 * so that clusters which do not run at the same time seldom meet. Taken: the API port on it is bound.
 */
export async function claimAddresses(dataDirectory: string, apiPort: number): Promise<ClusterAddresses> {
  const file = join(dataDirectory, FILE);
  const remembered = parseBlock(await readFile(file, 'utf8').catch(() => ''));
  if (remembered !== undefined) return requireFree(clusterAddresses(remembered), apiPort);
  const count = LAST_BLOCK - FIRST_BLOCK + 1;
  const start = createHash('sha256').update(resolve(dataDirectory)).digest().readUInt32BE(0) % count;
  for (let step = 0; step < count; step += 1) {
    const addresses = clusterAddresses(FIRST_BLOCK + ((start + step) % count));
    if (!(await isFree(addresses.host, apiPort))) continue;
    await writeFile(file, `${addresses.block}\n`, { mode: 0o600 });
    return addresses;
  }
  throw new AppError(
    'NO_ADDRESS_BLOCK',
    `no block of loopback addresses is free: port ${apiPort} is taken on every 127.A.0.1`,
    { hint: 'Stop another local cluster. On macOS add addresses: sudo ifconfig lo0 alias 127.64.0.1' },
  );
}

function parseBlock(text: string): number | undefined {
  const block = Number(text.trim());
  return text !== '' && Number.isInteger(block) && block >= FIRST_BLOCK && block <= LAST_BLOCK ? block : undefined;
}

/** Objects of this cluster name addresses of the block: another one would not do. */
async function requireFree(addresses: ClusterAddresses, apiPort: number): Promise<ClusterAddresses> {
  if (apiPort === 0 || (await isFree(addresses.host, apiPort))) return addresses;
  throw new AppError(
    'ADDRESS_IN_USE',
    `${addresses.host}:${apiPort} is in use, and this cluster needs just that address`,
    {
      hint: `Stop the program that uses it (another local cluster?): ss -ltnp 'src ${addresses.host}'`,
    },
  );
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer();
  try {
    await listenOn(server, port, host);
    return true;
  } catch {
    return false;
  } finally {
    server.close();
  }
}
