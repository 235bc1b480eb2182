/** Owns the running of a program in network, mount and process namespaces of its own: whatever it makes there ends with it. */
import { spawn, spawnSync } from 'node:child_process';

/** Set for programs that run in namespaces of their own. */
const MARK = 'KFCTL_NETWORK_BED';

const UNSHARE = ['--net', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'];

/** Why the bed cannot stand here, or false. */
export function whyNoBed(): string | false {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (process.getuid?.() !== 0) return 'network namespaces and packet sockets need root';
  for (const [program, hint] of [
    ['ip', 'iproute2'],
    ['arping', 'iputils-arping'],
    ['setpriv', 'util-linux'],
  ] as const) {
    if (spawnSync('which', [program]).status !== 0) return `${program} is missing (Debian package ${hint})`;
  }
  const probe = 'ip link add kfctl-a type veth peer name kfctl-b && ip netns list';
  if (spawnSync('unshare', [...UNSHARE, 'sh', '-c', probe]).status !== 0)
    return 'this machine does not let us make network namespaces';
  return false;
}

/** Throws where a bed would change the machine's own network. */
export function requireNamespace(): void {
  if (process.env[MARK] !== '1') throw new Error('a network bed is built by its test, in namespaces of its own');
}

/** Runs a script of this folder; rejects with what it wrote when it fails. */
export function runInNamespace(script: string, args: readonly string[] = []): Promise<string> {
  const file = new URL(script, import.meta.url).pathname;
  const child = spawn('unshare', [...UNSHARE, process.execPath, file, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, [MARK]: '1' },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve(output) : reject(new Error(`${script} failed\n${output}`))));
  });
}
