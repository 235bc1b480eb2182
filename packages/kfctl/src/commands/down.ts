/** Owns the command `kfctl down`: ends the local cluster from elsewhere and waits until it is gone. */
import path from 'node:path';
import { delay } from '@kfctl/core';
import { kfctlError } from '../errors.ts';
import { purgeDataDirectory } from '../local/claim-data-directory.ts';
import { dataDirectory, isSameProcess, readLock } from '../local/data-directory.ts';
import type { Lock } from '../local/data-directory.ts';
import type { Invocation } from './invocation.ts';

// `up` itself takes at most three seconds.
const PATIENCE_MS = 10_000;
const LOOK_AGAIN_MS = 25;

export async function runDown(
  invocation: Invocation,
  flags: { readonly dataDir?: string; readonly purge?: boolean },
): Promise<void> {
  const { terminal, settings, directory } = invocation;
  const data = dataDirectory(path.resolve(directory, flags.dataDir ?? settings.dataDirectory));
  const lock = readLock(data);
  if (lock === undefined) terminal.note(`No local cluster runs on ${data.path}.`);
  else {
    process.kill(lock.pid, 'SIGTERM');
    await waitForEnd(lock, invocation.signal);
    terminal.note('Stopped.');
  }
  if (flags.purge !== true) return;
  terminal.note(purgeDataDirectory(data) ? `Removed ${data.path}.` : `${data.path} does not exist.`);
}

/** Nothing tells the end of a process that is not ours, so that this looks again and again. */
async function waitForEnd(lock: Lock, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (isSameProcess(lock)) {
    if (Date.now() > deadline || signal.aborted) {
      throw kfctlError('NOT_READY', `process ${lock.pid} has not ended`, { hint: `End it: kill -9 ${lock.pid}` });
    }
    await delay(LOOK_AGAIN_MS, signal);
  }
}
