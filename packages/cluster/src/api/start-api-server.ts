/** Owns the start of the API server: keys, store, registry, doors. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { listen } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { KubeClient } from '@kfctl/kube';
import { createAuthenticator } from '../auth/authenticate.ts';
import { prepareClusterKeys, writePrivate } from '../auth/cluster-keys.ts';
import { renderKubeconfig } from '../auth/kubeconfig.ts';
import { discoveryAnswer } from '../discovery/documents.ts';
import { createDefinitions } from '../registry/definitions.ts';
import { createRegistry } from '../registry/registry.ts';
import type { Registry } from '../registry/registry.ts';
import { SYSTEM_MASTERS } from '../registry/request-context.ts';
import { StatusError } from '../registry/status-error.ts';
import { createBuiltInDefinitions } from '../resources/built-in-definitions.ts';
import { createObjectStore } from '../store/object-store.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { parseStored } from '../store/stored-object.ts';
import { createServiceAllocator } from '../resources/service-allocator.ts';
import { createCustomResources } from '../custom/custom-resources.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { createVolatileStore } from '../store/store.ts';
import { createApiHandler } from './api-handler.ts';
import { createApiHttpsServer } from './https-server.ts';
import { createLocalClient } from './local-client.ts';
import type { NodeGateway } from './node-gateway.ts';

export interface ApiServerOptions {
  /** Keys, database and kubeconfig live below it. */
  readonly dataDirectory: string;
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** Where service addresses are taken from. */
  readonly serviceCidr: string;
  readonly log: Logger;
  /** Keeps objects in memory only. */
  readonly volatile?: boolean;
}

export interface ApiServer {
  readonly url: string;
  readonly port: number;
  readonly kubeconfigFile: string;
  /** PEM. */
  readonly caCertificate: string;
  readonly registry: Registry;
  /** A client with all rights; the component names its field manager and its user. */
  createClient(component: string): KubeClient;
  /** Logs, exec and port-forward work from here on. */
  connectNode(gateway: NodeGateway): void;
  close(): Promise<void>;
}

function createServedRegistry(store: ObjectStore, options: ApiServerOptions): Registry {
  const now = (): Date => new Date();
  const allocator = createServiceAllocator(options.serviceCidr, () => store.list('/services').map(parseStored));
  const custom = createCustomResources(() => registry);
  const registry: Registry = createRegistry({
    store,
    definitions: createDefinitions(createBuiltInDefinitions({ allocator, now })),
    admission: [],
    sources: { now, uuid: randomUUID, randomBytes },
    onWrite: custom.onWrite,
  });
  custom.load();
  return registry;
}

export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { dataDirectory, host, log } = options;
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const names = [host, 'localhost', 'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];
  const keys = await prepareClusterKeys(join(dataDirectory, 'pki'), { names, now: new Date() });
  const store = createObjectStore(options.volatile === true ? createVolatileStore() : openSqliteStore(join(dataDirectory, 'objects.sqlite')));
  const registry = createServedRegistry(store, options);
  const handler = createApiHandler({
    registry,
    subresources: new Map(),
    now: Date.now,
    authorizer: {
      requireAllowed(user) {
        if (!user.groups.includes(SYSTEM_MASTERS)) throw new StatusError(403, 'Forbidden', { message: 'forbidden' });
      },
    },
    documents: (request) => discoveryAnswer({ definitions: registry.definitions, address: host }, request),
    log,
  });
  const server = createApiHttpsServer({
    handler,
    authenticator: createAuthenticator({ verify: () => undefined }),
    upgrades: { upgrade: () => Promise.reject(new StatusError(404, 'NotFound', { message: 'not served' })) },
    server: keys.server,
    clientCa: keys.ca.certificate,
  });
  const port = await listen(server, options.port, host);
  const url = `https://${host}:${port}`;
  const kubeconfigFile = join(dataDirectory, 'kubeconfig');
  await writePrivate(kubeconfigFile, renderKubeconfig('kfctl', url, keys));
  return {
    url,
    port,
    kubeconfigFile,
    caCertificate: keys.ca.certificate,
    registry,
    createClient: (component) => createLocalClient({ registry, handler, component }),
    connectNode: () => undefined,
    close: async () => {
      server.close();
      server.closeAllConnections();
      await store.close();
    },
  };
}
