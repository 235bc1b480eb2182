/** Owns a host on the node's network: a network namespace behind the node's bridge. It takes away what it made. */
import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';

export interface ClientHost {
  /** Its MAC, lower case. */
  readonly mac: string;
  exec(...command: readonly string[]): { readonly code: number; readonly stdout: string };
  remove(): void;
}

export interface ClientHostOptions {
  readonly bridge: string;
  /** Of the node on that network, with its prefix. */
  readonly nodeAddress: string;
  readonly address: string;
}

export function createClientHost({ bridge, nodeAddress, address }: ClientHostOptions): ClientHost {
  const name = `kfctl-${randomBytes(3).toString('hex')}`;
  const link = name.slice(0, 15);
  sh(`ip addr add ${nodeAddress} dev ${bridge}`);
  sh(`ip netns add ${name}`);
  sh(`ip link add ${link} type veth peer name eth0 netns ${name}; ip link set ${link} master ${bridge} up`);
  sh(`ip -n ${name} link set lo up; ip -n ${name} link set eth0 up; ip -n ${name} addr add ${address} dev eth0`);
  const mac = /link\/ether (\S+)/.exec(sh(`ip -n ${name} link show eth0`))?.[1] ?? '';
  return {
    mac,
    exec: (...command) => {
      const { status, stdout } = spawnSync('ip', ['netns', 'exec', name, ...command], { encoding: 'utf8' });
      return { code: status ?? -1, stdout };
    },
    remove: () => {
      spawnSync('ip', ['netns', 'del', name]);
      spawnSync('ip', ['addr', 'del', nodeAddress, 'dev', bridge]);
    },
  };
}

/** The MAC of an interface of this machine, lower case. */
export function macOf(link: string): string {
  return /link\/ether (\S+)/.exec(sh(`ip link show ${link}`))?.[1] ?? '';
}

function sh(command: string): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', command], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${stderr}${stdout}`);
  return stdout;
}
