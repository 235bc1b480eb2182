import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { silentLogger } from '@kfctl/core';
import { allowAnswer, provenAnswer } from '../check/allow-answer.ts';
import { renderFields, textAnswer } from './answer.ts';
import type { Endpoint } from './answer.ts';
import { createFrontServer } from './front-server.ts';

const ALLOWED = allowAnswer(['kubeflow-userid', 'ann@example.com', 'x-envoy-auth-headers-to-remove', 'cookie']);

/** Sends text as it is; gives all that comes back until the server ends the connection. */
async function exchange(t: TestContext, endpoint: Endpoint, text: string): Promise<string> {
  const server = createFrontServer({ endpoint, log: silentLogger });
  const port = await server.listen(0, '127.0.0.1');
  t.after(() => server.close(0));
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.on('data', (chunk: Buffer) => void (answer += chunk.toString('latin1')));
  socket.write(text);
  await once(socket, 'close');
  return answer;
}

const END = 'GET /end HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n';
const answerAll: Endpoint = ({ url }) => (url === '/end' ? textAnswer(401, 'end') : ALLOWED);

test('what is rendered already is written byte for byte, one answer a request', async (t) => {
  const answer = await exchange(t, answerAll, `${'GET / HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(3)}${END}`);
  const one =
    /^HTTP\/1\.1 200 OK\r\ndate: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT\r\nkubeflow-userid: ann@example\.com\r\nx-envoy-auth-headers-to-remove: cookie\r\ncontent-length: 0\r\n\r\n/;
  let rest = answer;
  for (let count = 0; count < 3; count += 1) {
    const [head = ''] = one.exec(rest) ?? [];
    assert.notEqual(head, '', rest);
    rest = rest.slice(head.length);
  }
  assert.match(rest, /^HTTP\/1\.1 401 /);
});

test('connections that end, older clients and bodies are told so as ever', async (t) => {
  const ends = await exchange(t, answerAll, 'GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
  assert.match(ends, /^HTTP\/1\.1 200 OK\r\ndate: [^\r]+\r\nkubeflow-userid: ann@example\.com\r\n/);
  assert.match(ends, /\r\nconnection: close\r\n/i);
  assert.match(await exchange(t, answerAll, 'GET / HTTP/1.0\r\n\r\n'), /\r\nconnection: close\r\n/i);
  const smuggled = 'GET /smuggled HTTP/1.1\r\nhost: x\r\n\r\n';
  const seen: (string | undefined)[] = [];
  const endpoint: Endpoint = ({ url }) => (seen.push(url), ALLOWED);
  const body = `POST / HTTP/1.1\r\nhost: x\r\ncontent-length: ${smuggled.length + 10}\r\n\r\n${smuggled}`;
  const posted = await exchange(t, endpoint, body);
  assert.match(posted, /\r\nconnection: close\r\n/i);
  assert.equal(posted.match(/HTTP\/1\.1 200/g)?.length, 1);
  assert.deepEqual(seen, ['/']);
});

test('a connection ends when nothing comes for 20 minutes, not before, and not while requests come', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const server = createFrontServer({ endpoint: answerAll, log: silentLogger });
  const port = await server.listen(0, '127.0.0.1');
  t.after(() => server.close(0));
  const socket = connect(port, '127.0.0.1');
  t.after(() => socket.destroy());
  const ask = async (): Promise<void> => {
    socket.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
    await once(socket, 'data');
  };
  await ask();
  t.mock.timers.tick(20 * 60_000);
  await ask();
  t.mock.timers.tick(20 * 60_000);
  await ask();
  t.mock.timers.tick(21 * 60_000);
  await once(socket, 'close');
});

test('a proof is one more line, and no value can be two', () => {
  const proven = provenAnswer(ALLOWED, 'v1.1.x');
  assert.equal(proven.fields, `${ALLOWED.fields}kubeflow-assertion: v1.1.x\r\n`);
  assert.deepEqual(proven.headers, [...ALLOWED.headers, 'kubeflow-assertion', 'v1.1.x']);
  for (const value of ['a\r\nkubeflow-userid: root', 'a\nb', 'a\rb', 'a\0', 'é€'])
    assert.throws(() => renderFields(['kubeflow-userid', value]), TypeError, JSON.stringify(value));
});
