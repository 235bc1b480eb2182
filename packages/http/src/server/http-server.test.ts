import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { AppError, createLogger, silentLogger } from '@kfctl/core';
import { readForm, readJson, textResponse } from './message.ts';
import type { HttpHandler } from './message.ts';
import { createRouter } from './router.ts';
import { createHttpServer } from './http-server.ts';

async function serve(t: TestContext, handler: HttpHandler, maxBodyBytes = 1000): Promise<string> {
  const server = createHttpServer({ handler, log: silentLogger, maxBodyBytes });
  const port = await server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  return `http://127.0.0.1:${port}`;
}

test('answers what the handler returns, with a length', async (t) => {
  const base = await serve(t, (request) =>
    textResponse(201, `${request.method} ${request.path} ${request.query.get('q')}`),
  );
  const response = await fetch(`${base}/a%2Fb?q=1`);
  assert.equal(response.status, 201);
  assert.equal(await response.text(), 'GET /a%2Fb 1');
  assert.equal(response.headers.get('content-length'), '12');
});

test('answers HEAD without a body and 204 without a length', async (t) => {
  const base = await serve(t, (request) => (request.path === '/none' ? { status: 204 } : textResponse(200, 'body')));
  const head = await fetch(`${base}/x`, { method: 'HEAD' });
  assert.equal(head.headers.get('content-length'), '4');
  assert.equal(await head.text(), '');
  assert.equal((await fetch(`${base}/none`)).headers.get('content-length'), null);
});

test('refuses a body beyond the limit with 413 and closes the connection', async (t) => {
  const base = await serve(t, async (request) => textResponse(200, String((await request.body()).length)), 10);
  assert.equal(await (await fetch(base, { method: 'POST', body: '1234567890' })).text(), '10');
  const refused = await fetch(base, { method: 'POST', body: 'x'.repeat(11) });
  assert.equal(refused.status, 413);
  assert.equal(await refused.text(), 'request body too large\n');
});

test('tells the wire the public text of an error only, and the log the whole', async (t) => {
  const lines: string[] = [];
  const log = createLogger({ write: (line) => lines.push(line) });
  const server = createHttpServer({
    log,
    handler: () => {
      throw new AppError('DB', 'database at 10.1.2.3 is down', {
        public: 'try again later',
        status: 503,
        cause: new Error('ECONNREFUSED'),
      });
    },
  });
  const port = await server.listen(0, '127.0.0.1');
  t.after(() => server.close());
  const response = await fetch(`http://127.0.0.1:${port}/`);
  assert.equal(response.status, 503);
  assert.equal(await response.text(), 'try again later\n');
  assert.match(lines.join(''), /database at 10\.1\.2\.3 is down: ECONNREFUSED/);
});

test('an unexpected error answers 500 and says nothing', async (t) => {
  const base = await serve(t, () => {
    throw new Error('secret detail');
  });
  const response = await fetch(base);
  assert.equal(response.status, 500);
  assert.equal(await response.text(), 'internal error\n');
});

test('an unread body is not taken for the next request', async (t) => {
  const base = await serve(t, (request) => textResponse(200, request.path));
  const socket = connect(Number(new URL(base).port), '127.0.0.1');
  socket.write(`POST /first HTTP/1.1\r\nhost: x\r\ncontent-length: 50\r\n\r\nGET /smuggled HTTP/1.1\r\n`);
  let text = '';
  socket.on('data', (chunk) => (text += chunk.toString()));
  await once(socket, 'close');
  assert.match(text, /connection: close/i);
  assert.doesNotMatch(text, /\/smuggled/);
});

test('parses JSON and forms, and refuses what is not JSON with 400', async (t) => {
  const base = await serve(t, async (request) =>
    request.path === '/form'
      ? textResponse(200, (await readForm(request)).get('a') ?? '')
      : textResponse(200, JSON.stringify(await readJson(request))),
  );
  assert.equal(await (await fetch(`${base}/form`, { method: 'POST', body: 'a=b+c' })).text(), 'b c');
  assert.equal(await (await fetch(base, { method: 'POST', body: '{"x":1}' })).text(), '{"x":1}');
  assert.equal((await fetch(base, { method: 'POST', body: '{' })).status, 400);
});

test('routes by whole segments', async (t) => {
  const show: HttpHandler = (request) => textResponse(200, JSON.stringify(request.params));
  const base = await serve(
    t,
    createRouter([
      { method: 'GET', path: '/users/:id', handler: show },
      { method: 'POST', path: '/users/:id', handler: show },
      { method: '*', path: '/files/*rest', handler: show },
    ]),
  );
  assert.equal(await (await fetch(`${base}/users/a%20b`)).text(), '{"id":"a b"}');
  assert.equal(await (await fetch(`${base}/files/a/b%2Fc`)).text(), '{"rest":"a/b%2Fc"}');
  assert.equal((await fetch(`${base}/users/`)).status, 404);
  assert.equal((await fetch(`${base}/users/%ZZ`)).status, 404);
  assert.equal((await fetch(`${base}/usersx/1`)).status, 404);
  const wrongMethod = await fetch(`${base}/users/1`, { method: 'DELETE' });
  assert.equal(wrongMethod.status, 405);
  assert.equal(wrongMethod.headers.get('allow'), 'GET, POST');
});

test('closing waits for requests in flight and for nothing else', async () => {
  let release = (): void => undefined;
  const gate = new Promise<void>((resolve) => (release = resolve));
  let arrived = (): void => undefined;
  const inside = new Promise<void>((resolve) => (arrived = resolve));
  const server = createHttpServer({
    log: silentLogger,
    handler: async () => {
      arrived();
      await gate;
      return textResponse(200, 'done');
    },
  });
  const port = await server.listen(0, '127.0.0.1');
  const unused = connect(port, '127.0.0.1');
  await once(unused, 'connect');
  const answer = fetch(`http://127.0.0.1:${port}/`);
  await inside;
  const closed = server.close();
  await once(unused, 'close');
  release();
  assert.equal(await (await answer).text(), 'done');
  await closed;
});

test('whose request it was is known when the client has gone', async (t) => {
  const [entered, seen] = [Promise.withResolvers<void>(), Promise.withResolvers<string>()];
  const base = await serve(t, async (request) => {
    entered.resolve();
    await once(request.signal, 'abort');
    seen.resolve(request.remoteAddress);
    return textResponse(200, '');
  });
  const socket = connect(Number(new URL(base).port), '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await entered.promise;
  socket.destroy();
  assert.equal(await seen.promise, '127.0.0.1');
});
