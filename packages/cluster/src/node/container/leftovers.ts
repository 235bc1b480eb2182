/** Owns the record of running processes, so that a node that died hard can be cleaned up after by the next one. */
import { readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processIdentity } from './process-table.ts';

const FILE = 'process.json';

export async function recordProcess(directory: string, pid: number): Promise<void> {
  const identity = await processIdentity(pid);
  if (identity === undefined) return;
  // A record that cannot be written costs only the cleaning up after a crash.
  await writeFile(join(directory, FILE), JSON.stringify({ pid, identity }), { mode: 0o600 }).catch(() => undefined);
}

export async function forgetProcess(directory: string): Promise<void> {
  await rm(join(directory, FILE), { force: true });
}

/** Ends every recorded process that still is the recorded one. `podsDirectory`/<uid>/containers/<name>/process.json */
export async function endLeftovers(podsDirectory: string): Promise<number> {
  let ended = 0;
  for (const uid of await names(podsDirectory)) {
    const containers = join(podsDirectory, uid, 'containers');
    for (const name of await names(containers)) if (await endOne(join(containers, name))) ended += 1;
  }
  return ended;
}

async function endOne(directory: string): Promise<boolean> {
  const text = await readFile(join(directory, FILE), 'utf8').catch(() => undefined);
  if (text === undefined) return false;
  await forgetProcess(directory);
  const record = parseRecord(text);
  if (record === undefined || (await processIdentity(record.pid)) !== record.identity) return false;
  for (const pid of [-record.pid, record.pid]) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // Gone meanwhile.
    }
  }
  return true;
}

function parseRecord(text: string): { pid: number; identity: string } | undefined {
  try {
    const { pid, identity } = JSON.parse(text) as { pid?: unknown; identity?: unknown };
    const isPid = typeof pid === 'number' && Number.isInteger(pid) && pid > 1;
    return isPid && typeof identity === 'string' ? { pid, identity } : undefined;
  } catch {
    return undefined;
  }
}

async function names(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}
