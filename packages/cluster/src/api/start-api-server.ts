/** Owns the start of the API server: keys, store, registry, rights, doors. */
import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { listen } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import type { KubeClient } from '@kfctl/kube';
import { createAdmissionPlugins } from '../admission/plugins.ts';
import { createAuthenticator } from '../auth/authenticate.ts';
import { prepareClusterKeys, writePrivate } from '../auth/cluster-keys.ts';
import type { ClusterKeys } from '../auth/cluster-keys.ts';
import { renderKubeconfig } from '../auth/kubeconfig.ts';
import { createTokenIssuer } from '../auth/service-account-tokens.ts';
import { createCustomResources } from '../custom/custom-resources.ts';
import { serverDocument } from '../discovery/server-documents.ts';
import { createAggregation } from '../rbac/aggregation.ts';
import { createAuthorizer } from '../rbac/authorize.ts';
import { createRbacAuthorizer } from '../rbac/rbac-authorizer.ts';
import type { RbacAuthorizer } from '../rbac/rbac-authorizer.ts';
import { createDefinitions } from '../registry/definitions.ts';
import { createRegistry } from '../registry/registry.ts';
import type { Registry } from '../registry/registry.ts';
import { createBuiltInDefinitions } from '../resources/built-in-definitions.ts';
import { createServiceAllocator } from '../resources/service-allocator.ts';
import { createObjectStore } from '../store/object-store.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { openSqliteStore } from '../store/sqlite-store.ts';
import { parseStored } from '../store/stored-object.ts';
import { createVolatileStore } from '../store/store.ts';
import { createSubresourceHandlers } from '../subresources/handlers.ts';
import { createUpgrades } from '../subresources/upgrades.ts';
import { createApiHandler } from './api-handler.ts';
import { bootstrapCluster } from './bootstrap.ts';
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

const ISSUER = 'https://kubernetes.default.svc.cluster.local';
const HOST_NAMES = [
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
];

/** Starts everything and resolves when the server answers. */
export async function startApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { dataDirectory, host } = options;
  await mkdir(dataDirectory, { recursive: true, mode: 0o700 });
  const serviceAddress = createServiceAllocator(options.serviceCidr, () => []).nextAddress();
  const names = [...new Set([host, serviceAddress, ...HOST_NAMES])];
  const keys = await prepareClusterKeys(join(dataDirectory, 'pki'), { names, now: new Date() });
  const store = createObjectStore(
    options.volatile === true ? createVolatileStore() : openSqliteStore(join(dataDirectory, 'objects.sqlite')),
  );
  const rbac = createRbacAuthorizer(store);
  const registry = createServedRegistry(store, { options, rbac });
  const doors = createDoors(registry, { options, rbac, keys });
  const port = await listen(doors.server, options.port, host);
  await bootstrapCluster(registry, { host, port });
  const url = `https://${host}:${port}`;
  let closed = false;
  const kubeconfigFile = join(dataDirectory, 'kubeconfig');
  await writePrivate(kubeconfigFile, renderKubeconfig('kfctl', url, keys));
  return {
    url,
    port,
    kubeconfigFile,
    caCertificate: keys.ca.certificate,
    registry,
    createClient: (component) => createLocalClient({ registry, handler: doors.handler, component }),
    connectNode: doors.connectNode,
    close: async () => {
      if (closed) return;
      closed = true;
      doors.server.close();
      doors.server.closeAllConnections();
      await store.close();
    },
  };
}

interface RegistryParts {
  readonly options: ApiServerOptions;
  readonly rbac: RbacAuthorizer;
}

function createServedRegistry(store: ObjectStore, { options, rbac }: RegistryParts): Registry {
  const now = (): Date => new Date();
  const allocator = createServiceAllocator(options.serviceCidr, () => store.list('/services').map(parseStored));
  const custom = createCustomResources(() => registry);
  const aggregation = createAggregation(() => registry);
  const registry: Registry = createRegistry({
    store,
    definitions: createDefinitions(createBuiltInDefinitions({ allocator, now })),
    admission: createAdmissionPlugins({ store, rbac }),
    sources: { now, uuid: randomUUID, randomBytes },
    onWrite: (table, object, change) => {
      custom.onWrite(table, object, change);
      aggregation.onWrite(table);
    },
  });
  custom.load();
  return registry;
}

interface DoorParts extends RegistryParts {
  readonly keys: ClusterKeys;
}

function createDoors(registry: Registry, { options, rbac, keys }: DoorParts) {
  const { store } = registry.deps;
  let gateway: NodeGateway | undefined;
  const node = (): NodeGateway | undefined => gateway;
  const tokens = createTokenIssuer({
    issuer: ISSUER,
    key: keys.serviceAccountKey,
    isAlive: (resource, { namespace, name, uid }) => store.get(`/${resource}`, namespace, name)?.uid === uid,
    nowMs: Date.now,
  });
  const authorizer = createAuthorizer(rbac);
  const handler = createApiHandler({
    registry,
    subresources: createSubresourceHandlers({ registry, rbac, tokens, node, now: () => new Date() }),
    now: Date.now,
    authorizer,
    documents: (request) =>
      serverDocument({ definitions: registry.definitions, tokens, address: options.host }, request),
    log: options.log,
  });
  const server = createApiHttpsServer({
    handler,
    authenticator: createAuthenticator({ verify: (token) => tokens.authenticate(token, [ISSUER])?.user }),
    upgrades: createUpgrades({ registry, authorizer, node }),
    server: keys.server,
    clientCa: keys.ca.certificate,
  });
  return { handler, server, connectNode: (connected: NodeGateway) => void (gateway = connected) };
}
