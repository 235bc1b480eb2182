/**
 * Owns a small network, to be built inside namespaces of its own: a bridge with the API server, nodes and a client behind it.
 *
 *   bed: br0 10.88.0.1 (API server, controller) ── node-1 10.88.0.11 ── node-2 .12 ── node-3 .13 ── client .20
 *
 * Each node serves 10.88.0.100-102 on its loopback, as kube-proxy would, and answers no ARP for it: that is the speaker's.
 */
import assert from 'node:assert/strict';
import { execFile, spawn, spawnSync } from 'node:child_process';
import type { ChildProcess, StdioOptions } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { delay, silentLogger } from '@kfctl/core';
import { createKubeClient, loadKubeConfig, resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import { startApiServer } from '../../cluster/src/index.ts';
import { readConfig } from '../src/config.ts';
import { startController } from '../src/controller/start-controller.ts';
import { createAccounts } from './accounts.ts';
import { requireNamespace } from './in-namespace.ts';

export interface SpeakerRun {
  readonly node: string;
  readonly process: ChildProcess;
  /** What it logged, parsed. */
  readonly log: Record<string, unknown>[];
}

export interface Bed {
  readonly client: KubeClient;
  /** Makes the namespace of a node, and the Node. */
  addNode(name: string): Promise<void>;
  startSpeaker(node: string, env?: Record<string, string>): SpeakerRun;
  /** Starts a script of this folder beside a node or the client. */
  runAt(place: string, script: string, args: readonly string[]): ChildProcess;
  /** Runs a program there to its end; its output. */
  execAt(place: string, command: readonly string[]): Promise<string>;
  /** Makes a LoadBalancer service with an endpoint on each of the nodes; its address. */
  addService(name: string, nodes: readonly string[], spec?: Record<string, unknown>): Promise<string>;
  removeService(name: string): Promise<void>;
  stop(): Promise<void>;
}

const NAMESPACE = 'metallb-system';
export const POOL = '10.88.0.100-10.88.0.110';

export async function buildBed(
  config = `address-pools:\n- {name: default, protocol: layer2, addresses: [${POOL}]}\n`,
): Promise<Bed> {
  requireNamespace();
  const directory = mkdtempSync(path.join(tmpdir(), 'load-balancer-bed-'));
  // The names of network namespaces are files, and these are private to the bed.
  sh('mkdir -p /run/netns && mount -t tmpfs none /run/netns');
  sh('ip link set lo up; ip link add br0 type bridge; ip addr add 10.88.0.1/24 dev br0; ip link set br0 up');
  const place = { host: '10.88.0.1', port: 0, serviceCidr: '10.96.0.0/16', dataDirectory: directory };
  const server = await startApiServer({ ...place, log: silentLogger, volatile: true });
  const client = server.createClient('bed');
  await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } });
  const metadata = { name: 'config', namespace: NAMESPACE };
  await client.create(resources.configMaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { config } });
  const accounts = await createAccounts(server, client, directory);
  const abort = new AbortController();
  const controller = await startController({
    client: createKubeClient(await loadKubeConfig({ env: accounts.controller })),
    config: { ...readConfig({}), port: 0, host: '127.0.0.1' },
    log: silentLogger,
    signal: abort.signal,
  });
  connect('client', '10.88.0.20');
  const children = new Set<ChildProcess>();
  const run: Run = (where, command, env = {}) => {
    const stdio: StdioOptions = ['ignore', 'pipe', 'pipe'];
    const child = spawn('ip', ['netns', 'exec', where, ...command], { stdio, env: { ...process.env, ...env } });
    children.add(child);
    child.once('exit', () => children.delete(child));
    return child;
  };
  let nodes = 0;
  return {
    client,
    execAt,
    runAt: (where, script, args) => run(where, [process.execPath, pathOf(script), ...args]),
    addNode: (name) => addNode({ client, run, name, address: `10.88.0.${11 + nodes++}` }),
    startSpeaker: (node, env) => startSpeaker(run, node, { ...accounts.speaker, ...env }),
    addService: (name, where, spec = {}) => addService(client, { name, nodes: where, spec }),
    removeService: (name) => removeService(client, name),
    stop: async () => {
      for (const child of children) child.kill('SIGKILL');
      abort.abort();
      await controller.stop();
      await server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

type Run = (where: string, command: readonly string[], env?: Record<string, string>) => ChildProcess;

interface NewNode {
  readonly client: KubeClient;
  readonly run: Run;
  readonly name: string;
  readonly address: string;
}

async function addNode({ client, run, name, address }: NewNode): Promise<void> {
  connect(name, address);
  const setting = '/proc/sys/net/ipv4/conf/all';
  sh(`ip netns exec ${name} sh -c 'echo 1 > ${setting}/arp_ignore; echo 2 > ${setting}/arp_announce'`);
  sh(`for last in 100 101 102; do ip -n ${name} addr add 10.88.0.$last/32 dev lo; done`);
  await client.create(resources.nodes, { apiVersion: 'v1', kind: 'Node', metadata: { name } });
  const server = run(name, [process.execPath, pathOf('node-server.ts'), name]);
  const [line] = (await once(server.stdout ?? assert.fail(), 'data')) as [Buffer];
  assert.equal(line.toString(), 'ready\n');
}

function startSpeaker(run: Run, node: string, env: Record<string, string>): SpeakerRun {
  // Root with one capability, as in the DaemonSet.
  const limits = ['setpriv', '--bounding-set', '-all,+net_raw', '--inh-caps', '-all,+net_raw', '--no-new-privs'];
  const child = run(node, [...limits, process.execPath, pathOf('../src/main.ts'), 'speaker'], {
    METALLB_NODE_NAME: node,
    METALLB_HOST: '127.0.0.1',
    NODE_OPTIONS: '--max-semi-space-size=1',
    MALLOC_ARENA_MAX: '1',
    ...env,
  });
  const log: Record<string, unknown>[] = [];
  createInterface({ input: child.stderr ?? assert.fail() }).on('line', (line) => {
    if (process.env['BED_VERBOSE'] !== undefined) process.stderr.write(`${node} ${line}\n`);
    if (line.startsWith('{')) log.push(JSON.parse(line) as Record<string, unknown>);
  });
  return { node, process: child, log };
}

/** Of a script of this folder. */
export function pathOf(script: string): string {
  return new URL(script, import.meta.url).pathname;
}

/** Waits until it is true; what it is that did not come is told. */
export async function until(what: string, isTrue: () => boolean | Promise<boolean>, timeoutMs = 15_000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!(await isTrue())) {
    if (performance.now() > end) assert.fail(`did not happen: ${what}`);
    await delay(10);
  }
}

export function hasLogged({ log }: SpeakerRun, fields: Record<string, unknown>): boolean {
  return log.some((record) => Object.entries(fields).every(([key, value]) => record[key] === value));
}

export function macOf(place: string): string {
  return /link\/ether (\S+)/.exec(sh(`ip -n ${place} link show eth0`))?.[1] ?? '';
}

interface NewService {
  readonly name: string;
  readonly nodes: readonly string[];
  readonly spec: Record<string, unknown>;
}

async function addService(client: KubeClient, { name, nodes, spec }: NewService): Promise<string> {
  const metadata = { name, namespace: 'default' };
  await client.create(resources.services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata,
    spec: { type: 'LoadBalancer', selector: { app: name }, ports: [{ port: 80, protocol: 'TCP' }], ...spec },
  });
  const endpoints = nodes.map((nodeName, index) => ({
    addresses: [`10.1.0.${index + 1}`],
    conditions: { ready: true },
    nodeName,
  }));
  if (nodes.length > 0)
    await client.create(resources.endpointSlices, {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      endpoints,
      ports: [{ port: 80 }],
    });
  let ip = '';
  await until(`${name} gets an address`, async () => {
    const service = await client.get(resources.services, name, { namespace: 'default' });
    ip = service?.status?.loadBalancer?.ingress?.[0]?.ip ?? '';
    return ip !== '';
  });
  return ip;
}

async function removeService(client: KubeClient, name: string): Promise<void> {
  for (const type of [resources.services, resources.endpointSlices])
    await client.delete(type, name, { namespace: 'default' });
}

/** Not blocking: the API server lives in this process. */
async function execAt(place: string, command: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)('ip', ['netns', 'exec', place, ...command]);
  return stdout;
}

function connect(name: string, address: string): void {
  sh(`ip netns add ${name}`);
  sh(`ip link add ${name} type veth peer name eth0 netns ${name}; ip link set ${name} master br0 up`);
  sh(`ip -n ${name} link set lo up; ip -n ${name} link set eth0 up; ip -n ${name} addr add ${address}/24 dev eth0`);
}

function sh(command: string): string {
  const { status, stdout, stderr } = spawnSync('sh', ['-ec', command], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command}: ${stderr}${stdout}`);
  return stdout;
}
