import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { chmod, mkdir, mkdtemp, realpath, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { openOverlayDirectory } from './overlay-directory.ts';
import { carries, MAX_SOCKET_PATH, placeOf, portFile } from './overlay.ts';
import type { Overlay } from './overlay.ts';
import { createRealPorts } from './real-ports.ts';

async function directory(t: TestContext): Promise<string> {
  const path = await realpath(await mkdtemp(join(tmpdir(), 'kfctl-net-')));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

test('the sockets lie in the data directory, for its owner alone, without those of an earlier run', async (t) => {
  const data = await directory(t);
  const net = await openOverlayDirectory(data);
  assert.equal(net, join(data, 'net'));
  assert.equal(statSync(net).mode & 0o777, 0o700);
  await writeFile(join(net, '128.1.8080'), '');
  await openOverlayDirectory(data);
  assert.deepEqual(readdirSync(net), []);
});

test('a data directory with a long name has them where the longest socket fits, the same at each start', async (t) => {
  const root = await directory(t);
  const data = join(root, 'x'.repeat(90));
  await mkdir(data);
  const net = await openOverlayDirectory(data, root);
  t.after(() => rm(net, { recursive: true, force: true }));
  assert.equal(await openOverlayDirectory(data, root), net);
  const longest = portFile({ prefix: '127.64.', directory: net }, { host: '127.64.255.254', port: 65_535 });
  assert.ok(longest.length <= MAX_SOCKET_PATH, longest);
  assert.equal(statSync(net).mode & 0o777, 0o700);
  const far = join(root, 'y'.repeat(100));
  await mkdir(far);
  const nearest = await openOverlayDirectory(data, far);
  t.after(() => rm(nearest, { recursive: true, force: true }));
  assert.match(nearest, /^\/tmp\/kfctl-[0-9a-f]{8}$/);
});

test('a directory that others may enter, or a link to one, is not taken', async (t) => {
  const data = await directory(t);
  await mkdir(join(data, 'net'), { mode: 0o700 });
  await chmod(join(data, 'net'), 0o770);
  await assert.rejects(openOverlayDirectory(data), { code: 'OVERLAY_DIRECTORY' });
  await rm(join(data, 'net'), { recursive: true });
  await mkdir(join(data, 'elsewhere'), { mode: 0o700 });
  await symlink('elsewhere', join(data, 'net'));
  await assert.rejects(openOverlayDirectory(data), { code: 'OVERLAY_DIRECTORY' });
});

test('only addresses of the block are carried', () => {
  const overlay: Overlay = { prefix: '127.64.', directory: '/x' };
  for (const host of ['127.64.0.1', '127.64.255.254']) assert.equal(carries(overlay, host), true, host);
  for (const host of ['127.0.0.1', '127.65.0.1', '127.64.1', '127.64.evil.example', '::1', 'localhost'])
    assert.equal(carries(overlay, host), false, host);
});

test('a port of the machine belongs to one pod, until that is gone', async (t) => {
  const overlay: Overlay = { prefix: '127.64.', directory: await directory(t) };
  const ports = createRealPorts(overlay);
  const [first, second] = ['127.64.128.1', '127.64.128.2'];
  const placed = await ports.place(first, 80);
  assert.equal(placed.host, '127.0.0.1');
  assert.deepEqual(await ports.place(first, 80), placed, 'a restarted container keeps its port');
  assert.deepEqual(placeOf(overlay, { host: first, port: 80 }), { kind: 'port', port: placed.port });
  assert.equal(await ports.claim(first, 80), undefined);
  assert.equal(await ports.claim(second, placed.port), `the pod at ${first} has it`);
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  assert.equal(await ports.claim(second, port), 'EADDRINUSE');
  await new Promise((resolve) => server.close(resolve));
  assert.equal(await ports.claim(second, port), undefined);
  await ports.release(first);
  assert.equal(existsSync(portFile(overlay, { host: first, port: 80 })), false);
  assert.ok(placeOf(overlay, { host: second, port }).kind === 'port', 'the other pod keeps its own');
  assert.equal(await ports.claim(second, placed.port), undefined);
});
