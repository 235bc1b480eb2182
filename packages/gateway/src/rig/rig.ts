/** Owns a whole gateway over real sockets, fed from memory, with stub upstreams. Imported by tests only. */
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { silentLogger } from '@kfctl/core';
import type { SecretObject } from '@kfctl/kube';
import { readConfig } from '../config.ts';
import { startGateway } from '../gateway.ts';
import type { Gateway } from '../gateway.ts';
import type { SessionKubeObject } from '../session/session-objects.ts';
import { createMemorySources, MemorySource } from './memory-sources.ts';
import type { MemorySources } from './memory-sources.ts';
import { endpointSlice, kubeflowGateway, service, testCredential } from './objects.ts';

// Not `import`: see server/http1-downstream.ts. Benchmarks look at this process's memory.
const { createServer } = process.getBuiltinModule('node:http');

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface Rig {
  readonly sources: MemorySources;
  readonly sessions: MemorySource<SessionKubeObject>;
  readonly gateway: Gateway;
  /** Access log lines so far. */
  readonly accessLog: string[];
  readonly warnings: string[];
  readonly tlsPort: () => number;
  readonly plainPort: () => number;
  /** Starts a stub server and makes it the Service `name.namespace`. */
  upstream(name: string, handler: Handler, namespace?: string): Promise<Server>;
  addService(name: string, port: number, namespace?: string): void;
  /** Waits until a change of objects is in force. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export interface RigOptions {
  readonly env?: Record<string, string>;
  /** Instead of one made here, which loads a library of 35 MB. */
  readonly credential?: SecretObject;
  /** Puts objects there before the gateway looks at them. */
  readonly prepare?: (rig: Pick<Rig, 'sources' | 'upstream'>) => Promise<void>;
  /** False: the rig is given while the gateway may still be starting. */
  readonly isReady?: boolean;
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const sources = createMemorySources();
  const accessLog: string[] = [];
  const warnings: string[] = [];
  const servers: Server[] = [];
  sources.secrets.put(options.credential ?? (await testCredential('gateway.example.com')));
  sources.gateways.put(kubeflowGateway());
  const sessions = new MemorySource<SessionKubeObject>();
  const addService = (name: string, port: number, namespace = 'kubeflow'): void => {
    sources.services.put(service(name, namespace));
    sources.endpointSlices.put(endpointSlice(name, namespace, [port]));
  };
  const upstream: Rig['upstream'] = async (name, handler, namespace) => {
    const { server, port } = await startServer(handler);
    servers.push(server);
    addService(name, port, namespace);
    return server;
  };
  await options.prepare?.({ sources, upstream });
  // A process has no such source: pods are watched namespace by namespace.
  const { podObjects: _podObjects, ...watched } = sources;
  const gateway = startGateway({
    sessions: sessions.follow,
    config: readConfig({
      LISTEN_PORTS: '80=0,443=0',
      LISTEN_HOST: '127.0.0.1',
      DRAIN_TIMEOUT: '500ms',
      ...options.env,
    }),
    sources: watched,
    log: silentLogger,
    writeAccessLog: (lines) => void accessLog.push(...lines.trimEnd().split('\n')),
    warnAbout: (object, reason, message) =>
      void warnings.push(`${object.kind} ${object.metadata.name}: ${reason}: ${message}`),
  });
  while (options.isReady !== false && gateway.notReady() !== undefined) await tick();
  return {
    sources,
    sessions,
    gateway,
    accessLog,
    warnings,
    addService,
    tlsPort: () => gateway.boundPort(443) ?? 0,
    plainPort: () => gateway.boundPort(80) ?? 0,
    upstream,
    settle: () => new Promise((resolve) => setTimeout(resolve, 15)),
    close: () => closeAll(gateway, servers),
  };
}

async function closeAll(gateway: Gateway, servers: readonly Server[]): Promise<void> {
  await gateway.stop();
  for (const server of servers) {
    server.closeAllConnections();
    server.close();
  }
}

async function startServer(handler: Handler): Promise<{ server: Server; port: number }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, port: (server.address() as AddressInfo).port };
}

const tick = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
