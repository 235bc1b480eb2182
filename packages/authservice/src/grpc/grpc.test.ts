import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:http2';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { silentLogger } from '@kfctl/core';
import { textAnswer } from '../server/answer.ts';
import type { AskedRequest, Endpoint } from '../server/answer.ts';
import { readCheckRequest, writeCheckResponse } from './check-messages.ts';
import { createGrpcServer } from './grpc-server.ts';
import { bytesOf, readFields, textOf, writeBytes, writeNumber } from '@kfctl/core';

function checkRequest(headers: Readonly<Record<string, string>>, path = '/pipeline/?x=1', method = 'GET'): Buffer {
  const entries = Object.entries(headers).map(([name, value]) =>
    writeBytes(3, [writeBytes(1, name), writeBytes(2, value)]),
  );
  const http = writeBytes(2, [
    writeBytes(1, '7'),
    writeBytes(2, method),
    ...entries,
    writeBytes(4, path),
    writeBytes(5, 'kubeflow.test'),
  ]);
  return writeBytes(1, [writeBytes(1, 'source'), writeBytes(4, http)]);
}

const statusOf = (response: Buffer): unknown => readFields(bytesOf(readFields(response), 1))?.get(1)?.[0];

interface Called {
  readonly httpStatus: unknown;
  readonly grpcStatus: unknown;
  readonly message: Buffer;
}

async function startServer(
  t: TestContext,
  endpoint: Endpoint,
): Promise<(body: Buffer, path?: string) => Promise<Called>> {
  const server = await createGrpcServer({ endpoint, log: silentLogger });
  const port = await server.listen(0, '127.0.0.1');
  const client = connect(`http://127.0.0.1:${port}`);
  t.after(async () => {
    client.close();
    await server.close();
  });
  return async (body, path = '/envoy.service.auth.v3.Authorization/Check') => {
    const stream = client.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let head: Record<string, unknown> = {};
    const chunks: Buffer[] = [];
    stream.on('response', (headers) => (head = { ...head, ...headers }));
    stream.on('trailers', (headers) => (head = { ...head, ...headers }));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.end(body);
    await once(stream, 'close');
    return { httpStatus: head[':status'], grpcStatus: head['grpc-status'], message: Buffer.concat(chunks).subarray(5) };
  };
}

function framed(message: Buffer): Buffer {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(message.length, 1);
  return Buffer.concat([prefix, message]);
}

test('reads the request that Envoy describes', () => {
  const request = readCheckRequest(checkRequest({ Cookie: 'a=1', ':authority': 'x', accept: 'text/html' }));
  assert.deepEqual(
    { method: request?.method, url: request?.url, headers: request?.headers },
    { method: 'GET', url: '/pipeline/?x=1', headers: { host: 'kubeflow.test', cookie: 'a=1', accept: 'text/html' } },
  );
});

test('what is no request is undefined, whatever its bytes', () => {
  const good = checkRequest({ cookie: 'a=1' });
  assert.equal(readCheckRequest(Buffer.alloc(0)), undefined);
  assert.equal(readCheckRequest(checkRequest({}, 'pipeline')), undefined);
  assert.equal(readCheckRequest(checkRequest({}, '')), undefined);
  assert.equal(readCheckRequest(checkRequest({}, '/', '')), undefined);
  for (let length = 0; length < good.length; length += 1)
    assert.equal(readCheckRequest(good.subarray(0, length)), undefined);
  let seed = 7;
  for (let round = 0; round < 5_000; round += 1) {
    seed = (seed * 48_271) % 2_147_483_647;
    const changed = Buffer.from(good);
    changed[seed % changed.length] = (seed >> 8) & 0xff;
    readCheckRequest(changed);
  }
});

test('numbers and long fields survive', () => {
  const fields = readFields(
    Buffer.concat([writeNumber(1, 503), writeNumber(2, 2 ** 40), writeBytes(3, 'x'.repeat(100_000))]),
  );
  assert.deepEqual(fields?.get(1), [503]);
  assert.deepEqual(fields?.get(2), [2 ** 40]);
  assert.equal(textOf(fields, 3).length, 100_000);
});

test('only 200 is OK', () => {
  for (const status of [200, 201, 204, 302, 401, 403, 503]) {
    assert.equal(statusOf(writeCheckResponse({ status, headers: [] })) === 0, status === 200, String(status));
  }
});

test('answers calls, and refuses what is not one', async (t) => {
  const asked: AskedRequest[] = [];
  const call = await startServer(t, (request) => {
    asked.push(request);
    if (request.url === '/throws') throw new Error('broken');
    return request.url === '/ok' ? { status: 200, headers: ['kubeflow-userid', 'ann'] } : textAnswer(401, 'no');
  });
  const ok = await call(framed(checkRequest({}, '/ok')));
  assert.deepEqual([ok.httpStatus, ok.grpcStatus, statusOf(ok.message)], [200, '0', 0]);
  for (const path of ['/no', '/throws'])
    assert.equal(statusOf((await call(framed(checkRequest({}, path)))).message), 7, path);
  const broken: [Buffer, string | undefined][] = [
    [Buffer.alloc(0), undefined],
    [framed(Buffer.from('garbage')), undefined],
    [Buffer.concat([Buffer.from([1]), framed(checkRequest({}, '/ok')).subarray(1)]), undefined],
    [Buffer.concat([framed(checkRequest({}, '/ok')), Buffer.from('more')]), undefined],
    [framed(checkRequest({ cookie: 'x'.repeat(300_000) }, '/ok')), undefined],
    [framed(checkRequest({}, '/ok')), '/envoy.service.auth.v2.Authorization/Check'],
  ];
  const before = asked.length;
  for (const [body, path] of broken) {
    const { grpcStatus, message } = await call(body, path);
    assert.notEqual(grpcStatus, '0');
    assert.equal(message.length, 0);
  }
  assert.equal(asked.length, before);
});
