import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { connect } from 'node:tls';
import type { ConnectionOptions } from 'node:tls';
import { createLogger } from '@kfctl/core';
import { textResponse } from '@kfctl/http';
import type { WebConfig } from '../config/config.ts';
import { listenForBrowsers } from './listeners.ts';

function certificate(directory: string, name: string): void {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  execFileSync(
    'openssl',
    ['req', '-x509', ...key, '-keyout', 'tls.key', '-out', 'tls.crt', '-subj', `/CN=${name}`, '-days', '2'],
    {
      cwd: directory,
      stdio: 'ignore',
    },
  );
}

function web(t: TestContext): { directory: string; config: WebConfig } {
  const directory = mkdtempSync(path.join(tmpdir(), 'identity-tls-'));
  t.after(() => rmSync(directory, { recursive: true }));
  const config: WebConfig = {
    http: undefined,
    https: { host: '127.0.0.1', port: 0 },
    tlsCert: path.join(directory, 'tls.crt'),
    tlsKey: path.join(directory, 'tls.key'),
    tlsMinVersion: '1.2',
    tlsMaxVersion: '1.3',
    headers: {},
    allowedOrigins: [],
    allowedHeaders: [],
    clientRemoteIP: { header: '', trustedProxies: [] },
  };
  return { directory, config };
}

function handshake(port: number, options: ConnectionOptions = {}): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options }, () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    });
    socket.on('error', (error) => resolve(`refused: ${error.message}`));
  });
}

test('serves HTTPS, refuses TLS before 1.2, and takes a renewed certificate', async (t) => {
  const { directory, config } = web(t);
  const lines: string[] = [];
  const log = createLogger({ write: (line) => lines.push(line) });
  certificate(directory, 'first');
  const listeners = await listenForBrowsers(config, { handler: () => textResponse(200, 'x'), log });
  t.after(() => listeners.close());
  const port = listeners.https?.port ?? 0;
  assert.equal(await handshake(port), 'first');
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
  assert.match(await handshake(port, old), /^refused/);
  certificate(directory, 'second');
  listeners.renewCertificate();
  assert.equal(await handshake(port), 'second');
  rmSync(path.join(directory, 'tls.key'));
  listeners.renewCertificate();
  assert.equal(await handshake(port), 'second');
  assert.ok(lines.some((line) => line.includes('certificate cannot be renewed')));
});

test('names the certificate that cannot be read', async (t) => {
  const { config } = web(t);
  const log = createLogger({ write: () => undefined });
  await assert.rejects(
    listenForBrowsers(config, { handler: () => textResponse(200, 'x'), log }),
    /certificate of web.https/,
  );
});
