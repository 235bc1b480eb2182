import assert from 'node:assert/strict';
import { Agent, createServer, request } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { startProgram } from '../../testkit/src/front-door/programs.ts';
import type { Program } from '../../testkit/src/front-door/programs.ts';
import { kubeflowGateway, to, virtualService, withoutRedirect } from './rig/objects.ts';
import { startRig } from './rig/rig.ts';

interface Outcome {
  readonly status: number | undefined;
  /** The connection was told to go, or was not made. */
  readonly isLast: boolean;
  readonly error: string | undefined;
}

function get(port: number, agent: Agent, cookie = ''): Promise<Outcome> {
  return new Promise((resolve) => {
    const headers = cookie === '' ? {} : { cookie };
    const sent = request({ port, host: '127.0.0.1', path: '/x', agent, headers }, (response) => {
      response.resume().on('end', () => {
        resolve({ status: response.statusCode, isLast: response.headers.connection === 'close', error: undefined });
      });
      response.on('error', (error) => resolve({ status: undefined, isLast: true, error: error.message }));
    });
    sent.on('error', (error: NodeJS.ErrnoException) => {
      resolve({ status: undefined, isLast: true, error: error.code ?? error.message });
    });
    sent.end();
  });
}

/** Asks until told to go; gives everything that came. */
async function keepAsking(port: number, cookie = ''): Promise<Outcome[]> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const outcomes: Outcome[] = [];
  do outcomes.push(await get(port, agent, cookie));
  while (outcomes.at(-1)?.isLast !== true);
  agent.destroy();
  return outcomes;
}

test('a gateway that ends under load answers every request that it was sent', async () => {
  const rig = await startRig({ env: { DRAIN_TIMEOUT: '10s' } });
  rig.sources.gateways.put(withoutRedirect(kubeflowGateway()));
  let answered = 0;
  const enough = Promise.withResolvers<void>();
  await rig.upstream('app', (_incoming, response) => {
    answered += 1;
    if (answered === 500) enough.resolve();
    setTimeout(() => response.end('ok'), 2);
  });
  rig.sources.virtualServices.put(virtualService('app', [to('app')]));
  await rig.settle();
  const clients = Array.from({ length: 32 }, () => keepAsking(rig.plainPort()));
  await enough.promise;
  const stopped = rig.close();
  const outcomes = (await Promise.all(clients)).flat();
  await stopped;
  assert.ok(outcomes.length >= 500);
  assert.deepEqual(
    outcomes.filter(({ status }) => status !== 200),
    [],
  );
});

interface Started {
  readonly program: Program;
  readonly port: number;
  readonly cookie: string;
}

async function startProcess(t: TestContext, application: number, authservice: number): Promise<Started> {
  const bed = `${import.meta.dirname}/../bench/gateway-bed.ts`;
  const program = startProgram(t, [process.execPath, bed, ...[application, authservice, 2, 0].map(String)]);
  for (;;) {
    const port = /^ports (\d+)/m.exec(program.output())?.[1];
    const token = /^token (\S+)$/m.exec(program.output())?.[1] ?? '';
    if (port !== undefined) return { program, port: Number(port), cookie: `authservice_session=${token}` };
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

test('a gateway that is killed under load fails what was under way, and lets nobody in before or after', async (t) => {
  const server = async (status: number): Promise<number> => {
    const stub = createServer((_incoming, response) => response.writeHead(status).end());
    await new Promise<void>((resolve) => stub.listen(0, '127.0.0.1', resolve));
    t.after(() => {
      stub.closeAllConnections();
      stub.close();
    });
    return (stub.address() as AddressInfo).port;
  };
  const [application, authservice] = [await server(200), await server(401)];
  for (let round = 0; round < 2; round += 1) {
    const { program, port, cookie } = await startProcess(t, application, authservice);
    const strangers = Array.from({ length: 8 }, () => keepAsking(port));
    const people = Array.from({ length: 8 }, () => keepAsking(port, cookie));
    const agent = new Agent({ keepAlive: true });
    while ((await get(port, agent, cookie)).status !== 200);
    for (let more = 0; more < 100; more += 1) await get(port, agent, cookie);
    process.kill(program.pid, 'SIGKILL');
    agent.destroy();
    const [unknown, known] = [await Promise.all(strangers), await Promise.all(people)];
    for (const outcomes of unknown) assert.ok(outcomes.slice(0, -1).every(({ status }) => status === 401));
    for (const outcomes of known) assert.ok(outcomes.slice(0, -1).every(({ status }) => status === 200));
    for (const outcomes of [...unknown, ...known]) assert.equal(outcomes.at(-1)?.status, undefined);
  }
});

test('a request outlives any number of idle connections that its endpoint has given up', async (t) => {
  const rig = await startRig();
  t.after(() => rig.close());
  rig.sources.gateways.put(withoutRedirect(kubeflowGateway()));
  const waiting: Socket[] = [];
  const held = Promise.withResolvers<Socket>();
  let [toCome, given] = [1, 0];
  const server = createTcpServer((socket) => {
    let requests = 0;
    socket.on('error', () => undefined);
    socket.on('data', () => {
      requests += 1;
      // As nginx does when it has too many: nobody has looked at the second request.
      if (requests > 1) {
        given += 1;
        return given === 1 ? held.resolve(socket) : void socket.destroy();
      }
      waiting.push(socket);
      if (waiting.length < toCome) return;
      for (const each of waiting.splice(0)) each.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  rig.addService('app', (server.address() as AddressInfo).port);
  rig.sources.virtualServices.put(virtualService('app', [to('app')]));
  await rig.settle();
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const ask = async (): Promise<number | undefined> => (await get(rig.plainPort(), agent)).status;
  assert.equal(await ask(), 200);
  const unlucky = ask();
  const first = await held.promise;
  toCome = 8;
  const others = await Promise.all(Array.from({ length: 8 }, ask));
  assert.ok(others.every((status) => status === 200));
  toCome = 1;
  first.destroy();
  assert.equal(await unlucky, 200);
  assert.equal(given, 1, 'connections were tried one by one');
});
