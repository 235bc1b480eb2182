/** Owns a world such as macOS gives: a loopback interface with 127.0.0.1 alone, and no mount namespaces. Namespaces of this machine. */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import type { World } from './platform.ts';

export interface LoneLoopback extends World {
  /** The same without any right of root: no port below 1024 can be bound. */
  readonly unprivileged: World;
  close(): Promise<void>;
}

/** The whole network 127.0.0.0/8 goes with the address that has it; mount namespaces are forbidden in the user namespace alone. */
const SET_UP = `
  ip link set lo up && ip addr del 127.0.0.1/8 dev lo && ip addr add 127.0.0.1/32 dev lo &&
  echo 0 > /proc/sys/user/max_mnt_namespaces && echo ready && exec cat`;
const WITHOUT_RIGHTS = ['setpriv', '--bounding-set=-all', '--inh-caps=-all', '--no-new-privs'];

/** Undefined, with the reason, where this machine forbids namespaces. */
export async function createLoneLoopback(): Promise<LoneLoopback | { readonly missing: string }> {
  const child = spawn('unshare', ['--user', '--map-root-user', '--net', 'sh', '-c', SET_UP], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const ready = await Promise.race([once(child.stdout, 'data').then(() => true), ended(child).then(() => false)]);
  if (!ready) return { missing: `this machine forbids user or network namespaces: ${complaint.trim()}` };
  const enter = ['nsenter', '--target', String(child.pid), '--user', '--net', '--preserve-credentials'];
  const env = { KFCTL_LOOPBACK: 'auto' };
  return {
    enter,
    env,
    unprivileged: { enter: [...enter, ...WITHOUT_RIGHTS], env },
    async close() {
      const over = ended(child);
      child.stdin.end();
      await over;
    },
  };
}

async function ended(child: ChildProcess): Promise<void> {
  await Promise.race([once(child, 'exit'), once(child, 'error')]);
}
