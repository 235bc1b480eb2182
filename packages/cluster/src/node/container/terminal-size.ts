/** Owns the size of a terminal that `script` made for a command: the client tells it, the kernel tells the command. */
import { spawn } from 'node:child_process';
import { readdir, readlink } from 'node:fs/promises';
import { delay } from '@kfctl/core';
import type { ExecStreams } from '../../api/node-gateway.ts';
import { firstChild } from './process-table.ts';

const TRIES = 40;
const STEP_MS = 50;

/** `pid` starts the command, directly or through others; follows until the sizes end. */
export async function followSizes(pid: number, sizes: ExecStreams['resize'], ended: Promise<unknown>): Promise<void> {
  const over = new AbortController();
  void ended.catch(() => undefined).then(() => over.abort());
  for await (const { width, height } of sizes) {
    const terminal = await waitForTerminal(pid, over.signal);
    if (terminal === undefined) continue;
    spawn('stty', ['-F', terminal, 'cols', String(width), 'rows', String(height)], { stdio: 'ignore' }).on(
      'error',
      () => undefined,
    );
  }
}

/** A process and its first children, outermost first. */
export async function chainOf(pid: number): Promise<number[]> {
  const chain = [pid];
  for (let next = await firstChild(pid); next !== undefined && chain.length < 8; next = await firstChild(next))
    chain.push(next);
  return chain;
}

/** The first size comes before the command has its terminal. */
async function waitForTerminal(pid: number, over: AbortSignal): Promise<string | undefined> {
  for (let tries = 0; tries < TRIES && !over.aborted; tries += 1) {
    const terminal = await terminalOf(await chainOf(pid));
    if (terminal !== undefined) return terminal;
    await delay(STEP_MS, over);
  }
  return undefined;
}

/** The terminal that `script` made for its command. */
async function terminalOf(chain: readonly number[]): Promise<string | undefined> {
  for (const pid of chain.toReversed()) {
    for (const fd of await readdir(`/proc/${pid}/fd`).catch(() => [])) {
      const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => '');
      if (/^\/dev\/pts\/\d+$/.test(target)) return target;
    }
  }
  return undefined;
}
