import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import type { Duplex } from 'node:stream';
import type { NodeGateway } from '../src/index.ts';
import { kubectl, runServer } from './running-server.ts';

const POD = JSON.stringify({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'p' },
  spec: { containers: [{ name: 'c', image: 'busybox' }] },
});

/** A node whose containers are this machine's own programs. */
const gateway: NodeGateway = {
  async *logs(_pod, request) {
    yield Buffer.from(`line of ${request.container}, tail ${request.tailLines}\n`);
    if (request.follow) yield Buffer.from('and on\n');
  },
  async exec(_pod, { request, streams }) {
    const [program = '', ...args] = request.command;
    const child = spawn(program, args, { stdio: 'pipe' });
    if (streams.stdin === undefined) child.stdin.end();
    else streams.stdin.pipe(child.stdin);
    if (streams.stdout !== undefined) child.stdout.pipe(streams.stdout, { end: false });
    if (streams.stderr !== undefined) child.stderr.pipe(streams.stderr, { end: false });
    const [exitCode] = (await once(child, 'close')) as [number];
    return { kind: 'exited', exitCode };
  },
  async attach(_pod, { container, streams }) {
    streams.stdout?.write(`attached to ${container}\n`);
    return { kind: 'exited', exitCode: 0 };
  },
  async portForward(_pod, port): Promise<Duplex> {
    const socket = connect(port, '127.0.0.1');
    await once(socket, 'connect');
    return socket;
  },
};

test('kubectl reads logs, runs commands and forwards ports', async (t) => {
  const server = await runServer(t);
  server.connectNode(gateway);
  assert.equal((await kubectl(server, ['create', '-f', '-'], POD)).stdout, 'pod/p created\n');
  await server
    .createClient('test')
    .patch({ group: '', version: 'v1', plural: 'pods', kind: 'Pod', namespaced: true }, 'p', {
      namespace: 'default',
      subresource: 'status',
      patch: { kind: 'merge', body: { status: { phase: 'Running' } } },
    });

  await t.test('logs', async () => {
    const { stdout } = await kubectl(server, ['logs', 'p', '--tail=3', '-f']);
    assert.equal(stdout, 'line of c, tail 3\nand on\n');
    assert.match((await kubectl(server, ['logs', 'p', '-c', 'x'])).stderr, /container x is not valid for pod p/);
  });

  await t.test('exec passes both outputs and the exit code', async () => {
    const ran = await kubectl(server, ['exec', 'p', '--', 'sh', '-c', 'echo out; echo err >&2; exit 7']);
    assert.deepEqual([ran.code, ran.stdout], [7, 'out\n']);
    assert.match(ran.stderr, /err\n.*exit code 7/s);
  });

  await t.test('exec passes stdin to its end', async () => {
    assert.equal((await kubectl(server, ['exec', '-i', 'p', '--', 'tr', 'a-z', 'A-Z'], 'hello')).stdout, 'HELLO');
  });

  await t.test('attach joins the container', async () => {
    assert.equal((await kubectl(server, ['attach', 'p'])).stdout, 'attached to c\n');
  });

  await t.test('debug is refused at once, in kubectl’s own words', async () => {
    const asked = await kubectl(server, ['debug', 'p', '--image=busybox', '--', 'true']);
    assert.equal(asked.code, 1);
    assert.match(asked.stderr, /ephemeral containers are disabled for this cluster/);
  });

  await t.test('port-forward carries connections both ways', async (t) => {
    const echo = createServer((socket) => socket.pipe(socket));
    echo.listen(0, '127.0.0.1');
    await once(echo, 'listening');
    t.after(() => echo.close());
    const port = (echo.address() as AddressInfo).port;
    const env = { ...process.env, KUBECONFIG: server.kubeconfigFile };
    const forward = spawn('kubectl', ['port-forward', 'p', `:${port}`], { env, stdio: ['ignore', 'pipe', 'inherit'] });
    t.after(() => forward.kill());
    const [line] = (await once(createInterface(forward.stdout), 'line')) as [string];
    const local = Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]);
    for (const text of ['first', 'second'.repeat(100_000)]) assert.equal(await roundTrip(local, text), text);
  });
});

async function roundTrip(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.end(text);
  let received = '';
  for await (const chunk of socket as AsyncIterable<Buffer>) received += chunk.toString();
  return received;
}
