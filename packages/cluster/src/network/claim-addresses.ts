/** Owns the choice of a block of addresses: the one that the data directory remembers, otherwise the first that nobody uses. */
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { AppError } from '@kfctl/core';
import { FIRST_BLOCK, LAST_BLOCK, clusterAddresses } from './addresses.ts';
import type { ClusterAddresses } from './addresses.ts';
import { listenOn } from './listen-on.ts';

const FILE = 'address-block';

/** Resolves with the block of this data directory; a new one is taken when there is none yet. Taken: the API port on it is bound. */
export async function claimAddresses(dataDirectory: string, apiPort: number): Promise<ClusterAddresses> {
  const file = join(dataDirectory, FILE);
  const text = await readFile(file, 'utf8').catch(() => '');
  const remembered = Number(text.trim());
  if (text !== '' && Number.isInteger(remembered) && remembered >= FIRST_BLOCK && remembered <= LAST_BLOCK) {
    return clusterAddresses(remembered);
  }
  for (let block = FIRST_BLOCK; block <= LAST_BLOCK; block += 1) {
    const addresses = clusterAddresses(block);
    if (!(await isFree(addresses.host, apiPort))) continue;
    await writeFile(file, `${block}\n`, { mode: 0o600 });
    return addresses;
  }
  throw new AppError(
    'NO_ADDRESS_BLOCK',
    `no block of loopback addresses is free: port ${apiPort} is taken on every 127.A.0.1`,
    {
      hint: 'Stop another local cluster. On macOS add addresses: sudo ifconfig lo0 alias 127.64.0.1',
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
