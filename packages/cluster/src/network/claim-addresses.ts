/** Owns the choice of a block of addresses: the one that the data directory remembers, otherwise the first that nobody uses. */
import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join, resolve } from 'node:path';
import { AppError } from '@kfctl/core';
import type { LoopbackMode } from '../config.ts';
import { FIRST_BLOCK, LAST_BLOCK, clusterAddresses, singleAddress } from './addresses.ts';
import type { ClusterAddresses } from './addresses.ts';
import { listenOn } from './listen-on.ts';

export interface ClaimOptions {
  readonly dataDirectory: string;
  /** The port that it has to be; 0 for any. */
  readonly apiPort?: number | undefined;
  readonly loopback?: LoopbackMode | undefined;
}

export interface Claim {
  readonly addresses: ClusterAddresses;
  readonly apiPort: number;
  /** The machine has 127.0.0.1 alone: addresses of pods and services have to be carried by an overlay. */
  readonly isSingle: boolean;
}

const DEFAULT_API_PORT = 6443;
const BLOCK_FILE = 'address-block';
const PORT_FILE = 'api-port';
/** How many ports after the default one are tried where all clusters of the machine share one address. */
const PORTS = 64;

/**
 * Resolves with the block of this data directory. A new directory gets the first free one from a place on that follows from its path,
 * so that clusters which do not run at the same time seldom meet. Taken: the API port on it is bound.
 */
export async function claimAddresses(options: ClaimOptions): Promise<Claim> {
  const { dataDirectory, loopback = 'auto' } = options;
  const file = join(dataDirectory, BLOCK_FILE);
  const remembered = parseNumber(await readFile(file, 'utf8').catch(() => ''), FIRST_BLOCK, LAST_BLOCK);
  const count = LAST_BLOCK - FIRST_BLOCK + 1;
  const start = createHash('sha256').update(resolve(dataDirectory)).digest().readUInt32BE(0) % count;
  const first = clusterAddresses(remembered ?? FIRST_BLOCK + start);
  const isSingle = loopback === 'single' || (loopback === 'auto' && !(await exists(lastAddress(first))));
  if (isSingle) return claimSingle(options, first);
  const apiPort = options.apiPort ?? DEFAULT_API_PORT;
  if (remembered !== undefined) return { addresses: await requireFree(first, apiPort), apiPort, isSingle };
  for (let step = 0; step < count; step += 1) {
    const addresses = clusterAddresses(FIRST_BLOCK + ((start + step) % count));
    if (!(await isFree(addresses.host, apiPort))) continue;
    await writeFile(file, `${addresses.block}\n`, { mode: 0o600 });
    return { addresses, apiPort, isSingle };
  }
  throw new AppError(
    'NO_ADDRESS_BLOCK',
    `no block of loopback addresses is free: port ${apiPort} is taken on every 127.A.0.1`,
    { hint: 'Stop another local cluster.' },
  );
}

/** The block is the overlay's own, so that nobody else can have it; the API port is one for which there is only one address. */
async function claimSingle({ dataDirectory, apiPort }: ClaimOptions, block: ClusterAddresses): Promise<Claim> {
  const addresses = singleAddress(block);
  await writeFile(join(dataDirectory, BLOCK_FILE), `${block.block}\n`, { mode: 0o600 });
  if (apiPort !== undefined) return { addresses: await requireFree(addresses, apiPort), apiPort, isSingle: true };
  const file = join(dataDirectory, PORT_FILE);
  const remembered = parseNumber(await readFile(file, 'utf8').catch(() => ''), 1, 65_535);
  const ports = Array.from({ length: PORTS }, (_, index) => DEFAULT_API_PORT + index);
  for (const port of remembered === undefined ? ports : [remembered, ...ports]) {
    if (!(await isFree(addresses.host, port))) continue;
    await writeFile(file, `${port}\n`, { mode: 0o600 });
    return { addresses, apiPort: port, isSingle: true };
  }
  throw new AppError('NO_API_PORT', `no port from ${DEFAULT_API_PORT} on is free on ${addresses.host}`, {
    hint: 'Stop another local cluster.',
  });
}

function parseNumber(text: string, from: number, to: number): number | undefined {
  const number = Number(text.trim());
  return text !== '' && Number.isInteger(number) && number >= from && number <= to ? number : undefined;
}

function lastAddress(addresses: ClusterAddresses): string {
  return addresses.podAddress(addresses.podCount - 1);
}

/** Tried, not guessed: a whole network of addresses on Linux, those that somebody added elsewhere. */
function exists(host: string): Promise<boolean> {
  return isFree(host, 0);
}

/** Objects of this cluster name addresses of the block: another one would not do. */
async function requireFree(addresses: ClusterAddresses, apiPort: number): Promise<ClusterAddresses> {
  if (apiPort === 0 || (await isFree(addresses.host, apiPort))) return addresses;
  throw new AppError(
    'ADDRESS_IN_USE',
    `${addresses.host}:${apiPort} is in use, and this cluster needs just that address`,
    { hint: `Stop the program that uses it (another local cluster?): lsof -nP -iTCP@${addresses.host}:${apiPort}` },
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
