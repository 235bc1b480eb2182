/** Owns the start of the node: sandbox, addresses, pods, and the gateway that the API server uses. */
import { mkdir, readFile, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from '@kfctl/core';
import { resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import type { NodeGateway } from '../api/node-gateway.ts';
import { createInformerSet } from '../controllers/informer-set.ts';
import type { InformerSet } from '../controllers/informer-set.ts';
import { createWakeUp } from '../controllers/wake-up.ts';
import type { ClusterAddresses } from '../network/addresses.ts';
import { createPodAddressPool } from '../network/pod-addresses.ts';
import { claimDirectory, claims, volumes } from './claim-directories.ts';
import { endLeftovers } from './container/leftovers.ts';
import { createNodeGateway } from './gateway.ts';
import { productRoot } from './images/platform-program.ts';
import { createImageRegistry } from './images/registry.ts';
import type { Endpoint, NodeDeps } from './node-deps.ts';
import { keepLease, registerNode } from './node-object.ts';
import { localPods } from './pod/pod-spec.ts';
import type { Overlay } from '../overlay/overlay.ts';
import { createRealPorts } from '../overlay/real-ports.ts';
import { runPods } from './run-pods.ts';
import { chooseSandbox } from './sandbox/choose-sandbox.ts';
import type { Sandbox } from './sandbox/sandbox.ts';
import { createTokenSource } from './volumes/service-account-token.ts';

export interface StartNodeOptions {
  readonly client: KubeClient;
  /** The cluster's data directory: pods live below it, and no pod sees it. */
  readonly dataDirectory: string;
  readonly addresses: ClusterAddresses;
  /** Where pods reach the API server. */
  readonly apiServer: Endpoint;
  readonly log: Logger;
  readonly signal: AbortSignal;
  /** Watches shared with the controllers. */
  readonly informers?: InformerSet;
  readonly nodeName?: string;
  /** Directory that the platform's programs use as their compile cache (NODE_COMPILE_CACHE). */
  readonly compileCache?: string;
  /** The address that answers DNS on port 53; absent where it cannot be bound. */
  readonly dnsServer?: string;
  /** The cluster's names as lines of a hosts file, for pods that cannot ask its DNS. */
  readonly hostsLines?: (namespace: string) => readonly string[];
  /** Carries the addresses of pods and services, where the machine does not have them. */
  readonly overlay?: Overlay;
  /** Tries these sandboxes only (tests). */
  readonly sandboxes?: readonly Sandbox['kind'][];
}

export interface LocalNode {
  readonly name: string;
  readonly gateway: NodeGateway;
  /** Resolves when the signal has aborted and no process of a pod is left. */
  readonly stopped: Promise<void>;
}

const NODE_VERSION = 'v1.34.0';
/**
 * Six of these processes share a laptop: one malloc arena (7 MB each) and a small young generation (up to 15 MB each). On a cluster
 * the image's own settings hold.
 */
const LEAN_MEMORY = { MALLOC_ARENA_MAX: '1', NODE_OPTIONS: '--max-semi-space-size=2' };

export async function startNode(options: StartNodeOptions): Promise<LocalNode> {
  const { client, addresses, log, signal, nodeName = 'local' } = options;
  const podsPlace = join(options.dataDirectory, 'pods');
  await mkdir(podsPlace, { recursive: true, mode: 0o700 });
  const [podsDirectory, dataDirectory] = await Promise.all([realpath(podsPlace), realpath(options.dataDirectory)]);
  const left = await endLeftovers(podsDirectory);
  if (left > 0) log.warn('ended processes that an earlier node had left', { count: left });
  const shared = options.compileCache === undefined ? [] : [await ensureDirectory(options.compileCache)];
  const sandbox = await chooseSandbox({
    directory: dataDirectory,
    hidden: [dataDirectory],
    needed: [productRoot],
    isRoot: process.getuid?.() === 0,
    platform: process.platform,
    ...(options.sandboxes === undefined ? {} : { kinds: options.sandboxes }),
  });
  const wakeUp = createWakeUp();
  const hostResolvConf = await readFile('/etc/resolv.conf', 'utf8').catch(() => '');
  const deps = createDeps(options, { podsDirectory, sandbox, shared, nodeName, hostResolvConf, wake: wakeUp.wake });
  await registerNode(client, { name: nodeName, address: addresses.host, sandbox: sandbox.kind, version: NODE_VERSION });
  void keepLease(client, nodeName, { log, signal });
  const pods = runPods(deps, wakeUp.source);
  log.info('node started', { node: nodeName, sandbox: sandbox.kind });
  return { name: nodeName, gateway: createNodeGateway(pods, sandbox), stopped: pods.stopped };
}

async function ensureDirectory(path: string): Promise<string> {
  await mkdir(path, { recursive: true, mode: 0o755 });
  return realpath(path);
}

interface Prepared {
  readonly podsDirectory: string;
  readonly sandbox: Sandbox;
  readonly shared: readonly string[];
  readonly nodeName: string;
  /** What the machine's own programs use. */
  readonly hostResolvConf: string;
  readonly wake: NodeDeps['wake'];
}

function createDeps(
  options: StartNodeOptions,
  { podsDirectory, sandbox, shared, nodeName, hostResolvConf, wake }: Prepared,
): NodeDeps {
  const { client, log, signal, addresses, apiServer, overlay } = options;
  const informers = options.informers ?? createInformerSet({ client, log, signal });
  const storage = { claims: informers.of(claims), volumes: informers.of(volumes) };
  const [cache] = shared;
  return {
    client,
    log,
    signal,
    nodeName,
    apiServer,
    podsDirectory,
    sandbox,
    wake,
    hostIp: addresses.host,
    images: createImageRegistry({ node: process.execPath, root: productRoot }),
    pool: createPodAddressPool(addresses),
    tokens: createTokenSource(client, Date.now),
    pods: informers.of(localPods),
    services: informers.of(resources.services),
    endpoints: informers.of(resources.endpoints),
    configMaps: informers.of(resources.configMaps),
    secrets: informers.of(resources.secrets),
    claimDirectory: (namespace, name) => claimDirectory(storage, namespace, name),
    resolvConf: (namespace) => renderResolvConf(namespace, options.dnsServer) ?? hostResolvConf,
    hostsLines:
      options.dnsServer === undefined || sandbox.kind === 'none' ? (options.hostsLines ?? (() => [])) : undefined,
    platformEnvironment: { ...LEAN_MEMORY, ...(cache === undefined ? {} : compileCacheSettings(cache)) },
    sharedDirectories: shared,
    overlay: overlay === undefined ? undefined : { network: overlay, ports: createRealPorts(overlay) },
    now: () => new Date(),
  };
}

/** Entries are found by their place relative to the cache, as those who filled it wrote them. */
function compileCacheSettings(directory: string): Readonly<Record<string, string>> {
  return { NODE_COMPILE_CACHE: directory, NODE_COMPILE_CACHE_PORTABLE: '1' };
}

function renderResolvConf(namespace: string, server: string | undefined): string | undefined {
  if (server === undefined) return undefined;
  return `nameserver ${server}\nsearch ${namespace}.svc.cluster.local svc.cluster.local cluster.local\noptions ndots:5\n`;
}
