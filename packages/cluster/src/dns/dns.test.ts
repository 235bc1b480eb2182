import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { promises as dns } from 'node:dns';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import type { Endpoints, Service } from '@kfctl/kube';
import { parseQuestion } from './dns-message.ts';
import { startDnsServer } from './dns-server.ts';
import { createQueryForwarder } from './forward-query.ts';
import { hostsLines } from './hosts-lines.ts';

const meta = (name: string) => ({ name, namespace: 'ns' });
const services: Service[] = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta('web'),
    spec: { clusterIP: '127.70.8.4', ports: [{ name: 'http', port: 80 }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta('db'),
    spec: { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] },
  },
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: meta('away'),
    spec: { type: 'ExternalName', externalName: 'example.com' },
  },
];
const db: Endpoints = {
  apiVersion: 'v1',
  kind: 'Endpoints',
  metadata: meta('db'),
  subsets: [
    {
      addresses: [
        { ip: '127.70.128.1', hostname: 'db-0' },
        { ip: '127.70.128.2', hostname: 'db-1' },
      ],
      ports: [{ name: 'sql', port: 6000 }],
    },
  ],
};
const objects = {
  service: (name: string, namespace: string) =>
    services.find(({ metadata }) => metadata.name === name && metadata.namespace === namespace),
  endpoints: (name: string) => (name === 'db' ? db : undefined),
  services: () => services,
};

async function resolver(
  t: TestContext,
  forward = (): Promise<Buffer | undefined> => Promise.resolve(undefined),
): Promise<dns.Resolver & { port: number }> {
  const server = await startDnsServer({ address: '127.0.0.1', port: 0, objects, forward });
  t.after(() => server.close());
  const made = new dns.Resolver({ timeout: 2000, tries: 1 });
  made.setServers([`127.0.0.1:${server.port}`]);
  return Object.assign(made, { port: server.port });
}

test('services, headless services, their pods, ports and addresses have names', async (t) => {
  const ask = await resolver(t);
  assert.deepEqual(await ask.resolve4('web.ns.svc.cluster.local'), ['127.70.8.4']);
  assert.deepEqual((await ask.resolve4('DB.ns.svc.cluster.local')).toSorted(), ['127.70.128.1', '127.70.128.2']);
  assert.deepEqual(await ask.resolve4('db-1.db.ns.svc.cluster.local'), ['127.70.128.2']);
  assert.deepEqual(await ask.resolve4('127-70-128-9.ns.pod.cluster.local'), ['127.70.128.9']);
  assert.deepEqual(await ask.resolveCname('away.ns.svc.cluster.local'), ['example.com']);
  const [port] = await ask.resolveSrv('_http._tcp.web.ns.svc.cluster.local');
  assert.deepEqual([port?.port, port?.name], [80, 'web.ns.svc.cluster.local']);
  const members = await ask.resolveSrv('_sql._tcp.db.ns.svc.cluster.local');
  assert.deepEqual(members.map(({ name, port }) => `${name}:${port}`).toSorted(), [
    'db-0.db.ns.svc.cluster.local:6000',
    'db-1.db.ns.svc.cluster.local:6000',
  ]);
  assert.deepEqual(await ask.reverse('127.70.8.4'), ['web.ns.svc.cluster.local']);
});

test('unknown names of the cluster do not exist, known ones have no IPv6 address', async (t) => {
  const ask = await resolver(t);
  for (const name of [
    'none.ns.svc.cluster.local',
    'web.other.svc.cluster.local',
    'x.web.ns.svc.cluster.local',
    'a.b.c.d.svc.cluster.local',
    'x.cluster.local',
  ]) {
    await assert.rejects(ask.resolve4(name), { code: 'ENOTFOUND' }, name);
  }
  await assert.rejects(ask.resolve6('web.ns.svc.cluster.local'), { code: 'ENODATA' });
});

test('names outside of the cluster are asked of other resolvers', async (t) => {
  const elsewhere = await resolver(t);
  // The other server takes the name for one of its own cluster.
  const forward = createQueryForwarder(['127.0.0.1'], elsewhere.port);
  const packet = Buffer.concat([
    Buffer.from(
      '1234010000010000000000000377656202' +
        '6e73' +
        '03737663' +
        '07636c7573746572' +
        '056c6f63616c' +
        '00' +
        '00010001',
      'hex',
    ),
  ]);
  const answer = await forward(packet);
  assert.equal(answer?.subarray(-4).join('.'), '127.70.8.4');
  const lost = await resolver(t);
  await assert.rejects(lost.resolve4('example.org'), { code: 'ESERVFAIL' });
});

test('packets that are no questions get no answer, and the server lives on', async (t) => {
  const header = (flags: number, count: number): Buffer =>
    Buffer.from([0, 1, flags >> 8, flags & 255, 0, count, 0, 0, 0, 0, 0, 0]);
  const name = Buffer.from([3, 119, 101, 98, 0, 0, 1, 0, 1]);
  const bad = [
    Buffer.alloc(0),
    Buffer.alloc(11),
    header(0, 1),
    Buffer.concat([header(0x8000, 1), name]),
    Buffer.concat([header(0, 2), name]),
    Buffer.concat([header(0, 1), Buffer.from([0xc0, 12, 0, 1, 0, 1])]),
    Buffer.concat([header(0, 1), Buffer.from([63, 1, 2])]),
    Buffer.concat([header(0, 1), Buffer.alloc(400, 1)]),
  ];
  for (const packet of bad) assert.equal(parseQuestion(packet), undefined);
  const ask = await resolver(t);
  const socket = connect(ask.port, '127.0.0.1');
  socket.write(Buffer.concat([Buffer.from([0, 12]), header(0x8000, 1)]));
  await new Promise((resolve) => socket.once('close', resolve));
  assert.deepEqual(await ask.resolve4('web.ns.svc.cluster.local'), ['127.70.8.4']);
});

test('hosts lines give every form of a name, the shortest to the own namespace only', () => {
  assert.deepEqual(hostsLines(objects, 'ns'), [
    '127.70.8.4\tweb.ns.svc.cluster.local\tweb.ns.svc\tweb.ns\tweb',
    '127.70.128.1\tdb-0.db.ns.svc.cluster.local\tdb-0.db.ns.svc\tdb-0.db.ns\tdb-0.db\tdb.ns.svc.cluster.local\tdb.ns.svc\tdb.ns\tdb',
    '127.70.128.2\tdb-1.db.ns.svc.cluster.local\tdb-1.db.ns.svc\tdb-1.db.ns\tdb-1.db\tdb.ns.svc.cluster.local\tdb.ns.svc\tdb.ns\tdb',
  ]);
  assert.equal(hostsLines(objects, 'other')[0], '127.70.8.4\tweb.ns.svc.cluster.local\tweb.ns.svc\tweb.ns');
});

test('a Node program that was given a hosts file finds its names, and changed ones too', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'kfctl-hosts-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'hosts');
  await writeFile(file, '127.70.8.4\tweb.ns.svc web\n');
  const program = `
    const dns = require('node:dns');
    const fs = require('node:fs');
    dns.lookup('web', (_error, first) => {
      fs.writeFileSync(${JSON.stringify(file)}, '127.70.8.55\\tweb\\n');
      dns.promises.lookup('WEB', { all: true }).then((all) => console.log(first, JSON.stringify(all)));
    });`;
  const preload = new URL('../node/preload.ts', import.meta.url).href;
  const env = { ...process.env, KFCTL_HOSTS_FILE: pathToFileURL(file).href };
  const { stdout } = await promisify(execFile)(process.execPath, [`--import=${preload}`, '-e', program], { env });
  assert.equal(stdout, '127.70.8.4 [{"address":"127.70.8.55","family":4}]\n');
});
