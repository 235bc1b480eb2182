import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { ContainerSpec, ProbeSpec } from '../pod/pod-spec.ts';
import { portNumber, probe } from './probe-action.ts';
import type { ProbeTarget } from './probe-action.ts';
import { runProber } from './prober.ts';

async function server(t: TestContext, answer: () => number): Promise<{ port: number; seen: string[] }> {
  const seen: string[] = [];
  const http = createServer((request, response) => {
    seen.push(`${request.url} ${String(request.headers['x-probe'])}`);
    response.writeHead(answer()).end('body');
  });
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  t.after(() => http.close());
  return { port: (http.address() as AddressInfo).port, seen };
}

const target = (container: ContainerSpec): ProbeTarget => ({
  container,
  podIp: '127.0.0.1',
  run: (command) => Promise.resolve({ exitCode: command[0] === 'true' ? 0 : 1, output: 'no' }),
});

test('an HTTP probe follows the status, with the headers and the named port that it was given', async (t) => {
  let status = 200;
  const { port, seen } = await server(t, () => status);
  const at = target({ name: 'c', ports: [{ name: 'http', containerPort: port }] });
  const action = { httpGet: { path: 'healthz', port: 'http', httpHeaders: [{ name: 'X-Probe', value: 'yes' }] } };
  assert.deepEqual(await probe(action, at, 1000), { kind: 'success' });
  assert.deepEqual(seen, ['/healthz yes']);
  status = 503;
  assert.deepEqual(await probe(action, at, 1000), {
    kind: 'failure',
    message: 'HTTP probe failed with statuscode: 503',
  });
  assert.throws(() => portNumber('nothing', at.container), /couldn't find port/);
});

test('a port that nobody listens on and a command that fails are failures', async () => {
  const at = target({ name: 'c' });
  assert.equal((await probe({ tcpSocket: { port: 1 } }, at, 1000)).kind, 'failure');
  assert.deepEqual(await probe({ exec: { command: ['false'] } }, at, 1000), { kind: 'failure', message: 'no' });
  assert.equal((await probe({ exec: { command: ['true'] } }, at, 1000)).kind, 'success');
});

test('readiness waits for the startup probe and comes soon after the first success', async (t) => {
  let status = 500;
  const { port } = await server(t, () => status);
  const check: ProbeSpec = { httpGet: { port }, periodSeconds: 30 };
  const stop = new AbortController();
  const told: string[] = [];
  await new Promise<void>((resolve) => {
    void runProber({
      target: target({ name: 'c', startupProbe: check, readinessProbe: check }),
      signal: stop.signal,
      listener: {
        onStarted: () => told.push('started'),
        onReady: (ready) => {
          told.push(`ready ${ready}`);
          resolve();
        },
        onFailure: () => told.push('failure'),
        onUnhealthy: () => told.push('unhealthy'),
      },
    });
    setTimeout(() => (status = 200), 100);
  });
  stop.abort();
  assert.deepEqual(told, ['started', 'ready true']);
});

test('a container that fails its liveness probe too often is given up once', async (t) => {
  const { port } = await server(t, () => 500);
  const stop = new AbortController();
  t.after(() => stop.abort());
  const message = await new Promise<string>((resolve) => {
    void runProber({
      target: target({ name: 'c', livenessProbe: { httpGet: { port }, periodSeconds: 1, failureThreshold: 1 } }),
      signal: stop.signal,
      listener: {
        onStarted: () => undefined,
        onReady: () => undefined,
        onFailure: () => undefined,
        onUnhealthy: (kind, text) => resolve(`${kind}: ${text}`),
      },
    });
  });
  assert.equal(message, 'liveness: HTTP probe failed with statuscode: 500');
});
