import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { connect } from 'node:tls';
import { Cleanup } from '../../testkit/src/front-door/cleanup.ts';
import { temporaryDirectory } from '../../testkit/src/front-door/programs.ts';
import { selfSigned } from './rig/certificates.ts';
import { fetchText } from './rig/fetch-text.ts';
import { kubeflowGateway, to, virtualService } from './rig/objects.ts';
import { startRig } from './rig/rig.ts';
import type { Rig } from './rig/rig.ts';

let rig: Rig;
const cleanup = new Cleanup();

before(async () => {
  rig = await startRig();
  for (const name of ['one', 'two']) {
    await rig.upstream(name, (request, response) => {
      response.setHeader('x-up', 'up').setHeader('x-gone', 'gone').setHeader('x-many', 'a');
      response.end(JSON.stringify({ name, ...request.headers }));
    });
  }
});
after(async () => {
  await rig.close();
  await cleanup.run();
});

async function rules(...http: unknown[]): Promise<void> {
  rig.sources.virtualServices.put(virtualService('a', http));
  await rig.settle();
}

const destination = (name: string, more: object = {}): object => ({
  destination: { host: `${name}.kubeflow.svc.cluster.local`, port: { number: 80 } },
  ...more,
});

async function seen(headers: Record<string, string> = {}): Promise<Record<string, string>> {
  return JSON.parse((await fetchText(rig.tlsPort(), '/', headers)).text) as Record<string, string>;
}

describe('destinations', () => {
  test('get requests by their weights', async () => {
    await rules({ route: [destination('one', { weight: 0 }), destination('two', { weight: 100 })] });
    for (let turn = 0; turn < 10; turn += 1) assert.equal((await seen())['name'], 'two');
    await rules({ route: [destination('one', { weight: 50 }), destination('two', { weight: 50 })] });
    const names = new Set<string | undefined>();
    // Both come sooner or later, by 1 - 2^-n after n requests.
    for (let turn = 0; turn < 60 && names.size < 2; turn += 1) names.add((await seen())['name']);
    assert.equal(names.size, 2);
    await rules({ route: [destination('one', { weight: 0 })] });
    assert.equal((await seen())['name'], 'one');
  });
});

describe('header operations', () => {
  test('of route and destination change requests: remove, set, add, and the host', async () => {
    const request = { set: { 'x-set': 'route', ':authority': 'route.example' }, remove: ['x-secret'] };
    const own = { set: { 'x-own': 'destination', Host: 'destination.example' }, add: { 'x-add': '2' } };
    await rules({ headers: { request }, route: [destination('one', { headers: { request: own } })] });
    const received = await seen({ 'x-set': 'client', 'x-secret': 'client', 'x-add': '1', 'x-kept': 'client' });
    assert.deepEqual(
      ['x-set', 'x-secret', 'x-own', 'x-add', 'x-kept', 'host'].map((name) => received[name]),
      ['route', undefined, 'destination', '1, 2', 'client', 'destination.example'],
    );
  });

  test('of route and destination change answers', async () => {
    const response = { set: { 'x-up': 'route' }, remove: ['x-gone'] };
    const own = { add: { 'x-many': 'b' } };
    await rules({ headers: { response }, route: [destination('one', { headers: { response: own } })] });
    const { headers } = await fetchText(rig.tlsPort(), '/');
    assert.deepEqual([headers['x-up'], headers['x-gone'], headers['x-many']], ['route', undefined, 'a, b']);
  });
});

describe('a header that rule and destination both set', () => {
  const operations = (value: string) => ({
    headers: { request: { set: { 'x-both': value } }, response: { set: { 'x-both': value } } },
  });
  const values = async (): Promise<unknown[]> => {
    const { headers } = await fetchText(rig.tlsPort(), '/');
    return [(await seen())['x-both'], headers['x-both']];
  };

  test("is the destination's where it is the only one", async () => {
    await rules({ ...operations('rule'), route: [destination('one', operations('destination'))] });
    assert.deepEqual(await values(), ['destination', 'destination']);
  });

  test("is the rule's where it splits", async () => {
    const split = ['one', 'two'].map((name) => destination(name, { weight: 50, ...operations('destination') }));
    await rules({ ...operations('rule'), route: split });
    assert.deepEqual(await values(), ['rule', 'rule']);
  });
});

test('a direct response has its status, its body as text or bytes, and headers', async () => {
  await rules(
    {
      match: [{ uri: { exact: '/text' } }],
      directResponse: { status: 418, body: { string: 'short and stout' } },
      headers: { response: { set: { 'content-type': 'text/plain', 'x-a': 'b' } } },
    },
    { directResponse: { status: 503, body: { bytes: Buffer.from([104, 105]).toString('base64') } } },
  );
  const answer = await fetchText(rig.tlsPort(), '/text');
  assert.deepEqual([answer.status, answer.text, answer.headers['x-a']], [418, 'short and stout', 'b']);
  const bytes = await fetchText(rig.tlsPort(), '/bytes');
  assert.deepEqual([bytes.status, bytes.text], [503, 'hi']);
});

test('a Gateway takes its certificate from files', async () => {
  const directory = await temporaryDirectory(cleanup);
  const files = { serverCertificate: path.join(directory, 'cert'), privateKey: path.join(directory, 'key') };
  const { cert, key } = await selfSigned(['by-file.example']);
  await writeFile(files.serverCertificate, cert);
  await writeFile(files.privateKey, key);
  const gateway = kubeflowGateway();
  const port = { number: 443, name: 'https', protocol: 'HTTPS' };
  const servers = [{ port, hosts: ['*'], tls: { mode: 'SIMPLE', ...files } }];
  await rules(to('one'));
  rig.sources.gateways.put({ ...gateway, spec: { ...(gateway['spec'] as object), servers } });
  await rig.settle();
  const names = await new Promise((resolve, reject) => {
    const socket = connect({ port: rig.tlsPort(), host: '127.0.0.1', ca: cert, servername: 'by-file.example' });
    socket.on('error', reject).on('secureConnect', () => {
      resolve(socket.getPeerCertificate().subjectaltname);
      socket.destroy();
    });
  });
  assert.equal(names, 'DNS:by-file.example');
});
