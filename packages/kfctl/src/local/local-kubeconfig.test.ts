import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { listen } from '@kfctl/core';
import { runKfctl } from '../cli/run-kfctl.ts';
import { lockDataDirectory, openDataDirectory } from './claim-data-directory.ts';
import { dataDirectory } from './data-directory.ts';
import type { DataDirectory } from './data-directory.ts';

let root = '';
let data: DataDirectory;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'kfctl-status-'));
  data = dataDirectory(path.join(root, 'data'));
  openDataDirectory(data);
  // Nobody listens there.
  writeKubeconfig(data.kubeconfig, 'http://127.0.0.1:1');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

function writeKubeconfig(file: string, server: string): void {
  const config = {
    clusters: [{ name: 'a', cluster: { server } }],
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    users: [{ name: 'a', user: {} }],
    'current-context': 'a',
  };
  writeFileSync(file, JSON.stringify(config));
}

async function kfctl(argv: string[], env: Record<string, string> = {}): Promise<{ code: number; text: string }> {
  let text = '';
  const stream = { write: (chunk: string) => (text += chunk) };
  const code = await runKfctl({
    argv,
    env: { HOME: root, ...env },
    directory: root,
    stdout: stream,
    stderr: stream,
    signal: new AbortController().signal,
  });
  return { code, text };
}

test('a kubeconfig of a local cluster that does not run is told with the command that starts it', async () => {
  const { code, text } = await kfctl(['status'], { KUBECONFIG: data.kubeconfig });
  assert.equal(code, 1);
  assert.equal(
    text,
    `error: the local cluster of ${data.path} does not run\n` +
      `hint: Start it in another terminal: kfctl up --data-dir ${data.path}\n`,
  );
  const own = await kfctl(['users', 'list'], { KUBECONFIG: data.kubeconfig, KFCTL_HOME: data.path });
  assert.match(own.text, /hint: Start it in another terminal: kfctl up\n/);
});

test('status of the named local cluster that does not run says how to start that one', async () => {
  const { code, text } = await kfctl(['status', '--data-dir', data.path]);
  assert.equal(code, 1);
  assert.ok(text.includes(`No local cluster runs on ${data.path}. Start it: kfctl up --data-dir ${data.path}`), text);
});

test('status of a local cluster that is starting says so', async () => {
  lockDataDirectory(data, process.pid);
  const { code, text } = await kfctl(['status', '--data-dir', data.path]);
  assert.equal(code, 1);
  assert.match(text, /^The local cluster of .* is starting: ask again in a moment\. Its log is .*cluster\.log\.\n$/);
  const { text: json } = await kfctl(['status', '--data-dir', data.path, '-o', 'json']);
  assert.deepEqual(JSON.parse(json), { running: true, ready: false, server: 'http://127.0.0.1:1', deployments: [] });
});

test('where no local cluster runs, status asks the cluster of KUBECONFIG', async () => {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify({ kind: 'ConfigMapList', metadata: { resourceVersion: '1' }, items: [], groups: [] }));
  });
  const port = await listen(server, 0, '127.0.0.1');
  try {
    const file = path.join(root, 'theirs');
    writeKubeconfig(file, `http://127.0.0.1:${port}`);
    const { code, text } = await kfctl(['status'], { KUBECONFIG: file });
    assert.equal(code, 1);
    assert.match(text, /^Cluster +http:\/\/127\.0\.0\.1:\d+\nNo deployment of kfctl is on it\./);
    assert.ok(asked.some((url) => url.startsWith('/api/v1/configmaps')));
  } finally {
    server.close();
  }
});
