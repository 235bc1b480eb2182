import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Service } from '@kfctl/kube';
import { clusterAddresses } from './addresses.ts';
import { claimAddresses } from './claim-addresses.ts';
import type { Claim } from './claim-addresses.ts';
import { createPodAddressPool } from './pod-addresses.ts';
import { openPortListener } from './port-listener.ts';
import { readyTargets, wantedListeners } from './service-listeners.ts';

test('pod addresses and their numbers belong together', () => {
  const addresses = clusterAddresses(70);
  for (const index of [0, 253, 254, 5_000, addresses.podCount - 1])
    assert.equal(addresses.podIndex(addresses.podAddress(index)), index);
  for (const other of ['127.70.0.1', '127.71.128.1', '127.70.128.0', '127.70.128.255', 'x'])
    assert.equal(addresses.podIndex(other), undefined);
});

test('a pod keeps its address, a free wish is granted, a freed address rests', () => {
  const pool = createPodAddressPool(clusterAddresses(70));
  const first = pool.take('a');
  assert.equal(pool.take('a'), first);
  assert.equal(pool.take('b', '127.70.200.9'), '127.70.200.9');
  assert.notEqual(pool.take('c', '127.70.200.9'), '127.70.200.9');
  pool.release('a');
  assert.notEqual(pool.take('d'), first);
});

test('a data directory keeps its block, and says so when somebody else uses it', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'kfctl-block-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const { port } = probe.address() as AddressInfo;
  probe.close();
  const claim = { dataDirectory: directory, apiPort: port };
  const { block, host } = (await claimAddresses(claim)).addresses;
  assert.equal(await readFile(join(directory, 'address-block'), 'utf8'), `${block}\n`);
  assert.equal((await claimAddresses(claim)).addresses.block, block);
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, host, resolve));
  t.after(() => other.close());
  await assert.rejects(claimAddresses(claim), { code: 'ADDRESS_IN_USE' });
});

test('with one address for all clusters, each has an API port of its own and keeps it', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'kfctl-block-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const options = { dataDirectory: directory, loopback: 'single' } as const;
  const claim = await claimAddresses(options);
  const { host, loadBalancerRange, block, podAddress } = claim.addresses;
  assert.deepEqual([host, loadBalancerRange, claim.isSingle], ['127.0.0.1', '127.0.0.1-127.0.0.1', true]);
  assert.equal(podAddress(0), `127.${block}.128.1`);
  assert.deepEqual(facts(await claimAddresses(options)), facts(claim));
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(claim.apiPort, host, resolve));
  t.after(() => other.close());
  const next = await claimAddresses(options);
  assert.notEqual(next.apiPort, claim.apiPort);
  assert.equal(next.addresses.block, block);
  await assert.rejects(claimAddresses({ ...options, apiPort: claim.apiPort }), { code: 'ADDRESS_IN_USE' });
});

const facts = ({ addresses, apiPort }: Claim): unknown => [addresses.block, addresses.host, apiPort];

async function echo(t: TestContext): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let text = '';
    socket.on('data', (chunk) => (text += String(chunk)));
    // Answers only after the other side has ended its half.
    socket.on('end', () => socket.end(`got ${text}`));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  return server;
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function exchange(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    let answer = '';
    socket.on('data', (chunk) => (answer += String(chunk)));
    socket.on('end', () => resolve(answer));
    socket.on('error', reject);
    socket.end(text);
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test('a connection passes over a target that refuses, and half-closes pass through', async (t) => {
  const server = await echo(t);
  const targets = [
    { host: '127.0.0.1', port: await freePort() },
    { host: '127.0.0.1', port: portOf(server) },
  ];
  const port = await freePort();
  const listener = await openPortListener({ address: '127.0.0.1', port, targets: () => targets });
  t.after(() => listener.close());
  for (const text of ['one', 'two', 'x'.repeat(300_000)]) assert.equal(await exchange(port, text), `got ${text}`);
});

test('without a ready target a connection is reset, as a refused one would be', async (t) => {
  const port = await freePort();
  const listener = await openPortListener({ address: '127.0.0.1', port, targets: () => [] });
  t.after(() => listener.close());
  await assert.rejects(exchange(port, 'anybody?'), { code: 'ECONNRESET' });
});

const service = (spec: Service['spec'], ingress: { ip?: string }[] = []): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 's' },
  spec: spec ?? {},
  status: { loadBalancer: { ingress } },
});

test('a LoadBalancer Service listens on cluster address, ingress address and node port', () => {
  const ports = [
    { name: 'https', port: 443, nodePort: 30_443 },
    { name: 'dns', port: 53, protocol: 'UDP' as const },
  ];
  const found = wantedListeners(
    service({ type: 'LoadBalancer', clusterIP: '127.70.8.5', ports }, [{ ip: '127.70.1.100' }]),
    '127.70.0.1',
  );
  assert.deepEqual(
    found.map(({ address, port }) => `${address}:${port}`),
    ['127.70.8.5:443', '127.70.1.100:443', '127.70.0.1:30443'],
  );
  assert.deepEqual(wantedListeners(service({ clusterIP: 'None', ports: [{ port: 1 }] }), '127.70.0.1'), []);
});

test('only ready endpoints of the named port are targets', () => {
  const endpoints = {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {},
    subsets: [
      {
        addresses: [{ ip: '127.0.0.2' }],
        notReadyAddresses: [{ ip: '127.0.0.3' }],
        ports: [
          { name: 'a', port: 1 },
          { name: 'b', port: 2 },
        ],
      },
    ],
  };
  assert.deepEqual(readyTargets(endpoints, 'b'), [{ host: '127.0.0.2', port: 2 }]);
  assert.deepEqual(readyTargets(endpoints, ''), []);
});
