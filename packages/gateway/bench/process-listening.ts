/** Owns finding the process behind a port of this machine. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LISTEN = '0A';

/** The process that listens on a TCP port; throws when there is none. */
export function processListening(port: number): number {
  const inode = readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, local, , state]) => state === LISTEN && Number.parseInt(local?.split(':')[1] ?? '', 16) === port)?.[9];
  const pid = readdirSync('/proc').find((entry) => /^\d+$/.test(entry) && holds(entry, `socket:[${inode}]`));
  if (inode === undefined || pid === undefined) throw new Error(`nobody listens on port ${port}`);
  return Number(pid);
}

function holds(pid: string, socket: string): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === socket);
  } catch {
    // Gone, or somebody else's.
    return false;
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}
