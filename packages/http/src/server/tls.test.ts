import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectPlain } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { silentLogger } from '@kfctl/core';
import type { ServerTls } from './connection-server.ts';
import { createHttpServer } from './http-server.ts';

function certificate(): ServerTls {
  const directory = mkdtempSync(path.join(tmpdir(), 'http-tls-'));
  try {
    const kind = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=x'];
    const files = ['-keyout', 'tls.key', '-out', 'tls.crt'];
    execFileSync('openssl', ['req', '-x509', ...kind, ...files], { cwd: directory, stdio: 'ignore' });
    const read = (name: string): string => readFileSync(path.join(directory, name), 'utf8');
    return { cert: read('tls.crt'), key: read('tls.key') };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

/** However it ends, a reset included. */
function ended(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.on('error', () => undefined).on('close', () => resolve()));
}

test('behind TLS, closing answers what is under way and cuts idle connections and half a handshake', async () => {
  const [arrived, release] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const server = createHttpServer({
    tls: certificate(),
    log: silentLogger,
    handler: async ({ path: asked }) => {
      if (asked === '/held') {
        arrived.resolve();
        await release.promise;
      }
      return { status: 200, body: asked };
    },
  });
  const port = await server.listen(0, '127.0.0.1');
  const open = async (): Promise<ReturnType<typeof connect>> => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(socket, 'secureConnect');
    return socket;
  };
  const [busy, idle] = [await open(), await open()];
  const silent = connectPlain(port, '127.0.0.1');
  await once(silent, 'connect');
  let answer = '';
  busy.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  busy.write('GET /held HTTP/1.1\r\nhost: x\r\n\r\n');
  idle.write('GET /idle HTTP/1.1\r\nhost: x\r\n\r\n');
  await Promise.all([arrived.promise, once(idle, 'data')]);
  const cut = [ended(idle), ended(silent)];
  const closed = server.close();
  await Promise.all(cut);
  assert.equal(answer, '');
  release.resolve();
  await Promise.all([ended(busy), closed]);
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[^]*connection: close\r\n\r\n\/held$/);
});
