/**
 * Owns the ports of 127.0.0.1 on which programs listen that know nothing of the overlay, and the links that lead to them.
 * A port of the machine belongs to one pod at a time.
 */
import { rm, symlink } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { listenOn } from '../network/listen-on.ts';
import { removeSockets } from './overlay-directory.ts';
import { portFile } from './overlay.ts';
import type { Overlay, Port } from './overlay.ts';

export interface RealPorts {
  /** Where a program of the pod is to listen so that this port of the pod leads to it. */
  place(podIp: string, port: number): Promise<Port>;
  /** Lets a port of the pod lead to the same port of the machine; the reason when it cannot have that. */
  claim(podIp: string, port: number): Promise<string | undefined>;
  /** The pod is gone: its ports are free, its sockets are removed. */
  release(podIp: string): Promise<void>;
}

const REAL_HOST = '127.0.0.1';

export function createRealPorts(overlay: Overlay): RealPorts {
  /** Port of a pod (`127.77.128.5:80`) to port of the machine. */
  const given = new Map<string, number>();
  const owners = new Map<number, string>();
  const link = async (podIp: string, port: number, real: number): Promise<void> => {
    const path = portFile(overlay, { host: podIp, port });
    given.set(`${podIp}:${port}`, real);
    owners.set(real, podIp);
    await rm(path, { force: true });
    await symlink(String(real), path);
  };
  return {
    async place(podIp, port) {
      const real = given.get(`${podIp}:${port}`) ?? (await freePort((other) => owners.has(other)));
      await link(podIp, port, real);
      return { host: REAL_HOST, port: real };
    },
    async claim(podIp, port) {
      if (given.has(`${podIp}:${port}`)) return undefined;
      const owner = owners.get(port);
      if (owner !== undefined && owner !== podIp) return `the pod at ${owner} has it`;
      const problem = await tryPort(port);
      if (problem === undefined) await link(podIp, port, port);
      return problem;
    },
    async release(podIp) {
      for (const [key] of [...given].filter(([place]) => place.startsWith(`${podIp}:`))) given.delete(key);
      for (const [real] of [...owners].filter(([, owner]) => owner === podIp)) owners.delete(real);
      await removeSockets(overlay, podIp);
    },
  };
}

async function freePort(isTaken: (port: number) => boolean): Promise<number> {
  for (;;) {
    const server = createServer();
    await listenOn(server, 0, REAL_HOST);
    const { port } = server.address() as AddressInfo;
    await new Promise((resolve) => server.close(resolve));
    if (!isTaken(port)) return port;
  }
}

async function tryPort(port: number): Promise<string | undefined> {
  const server = createServer();
  try {
    await listenOn(server, port, REAL_HOST);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? 'it cannot be bound';
  } finally {
    server.close();
  }
}
