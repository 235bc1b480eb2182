import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { listen } from '@kfctl/core';
import { runKfctl } from '../cli/run-kfctl.ts';
import { kfctlError } from '../errors.ts';
import { throwIfInterrupted, withinTime } from './time-limit.ts';
import type { TimeLimit } from './time-limit.ts';

const forever = (): Promise<never> => new Promise(() => undefined);

function within<T>(work: (limit: TimeLimit) => Promise<T>, signal = new AbortController().signal): Promise<T> {
  return withinTime({ timeoutMs: 20, signal, stage: () => 'counting sheep', command: 'apply' }, work);
}

test('work in time gives its result', async () => {
  assert.equal(await within(() => Promise.resolve(7)), 7);
  await assert.rejects(
    within(() => Promise.reject(new Error('own'))),
    /own/,
  );
});

test('work that hears nothing is left, and the error says what it was at', async () => {
  await assert.rejects(within(forever), {
    code: 'NOT_READY',
    message: 'not finished within 20ms: counting sheep',
    hint: /kfctl apply --timeout 15m/,
  });
});

test('work that is told to stop may say what it waited for; other errors are explained', async () => {
  const stopped = (limit: TimeLimit): Promise<void> =>
    new Promise((resolve) => limit.signal.addEventListener('abort', () => resolve(), { once: true }));
  const waiting = within(async (limit) => {
    await stopped(limit);
    throwIfInterrupted(limit.signal);
    assert.equal(limit.remainingMs(), 1);
    throw kfctlError('NOT_READY', 'dex is not ready');
  });
  await assert.rejects(waiting, /dex is not ready/);
  const cut = within(async (limit) => {
    await stopped(limit);
    throw new Error('socket closed');
  });
  await assert.rejects(cut, /not finished within 20ms: counting sheep/);
});

test('an interruption is no time-out', async () => {
  const person = new AbortController();
  const work = within(async (limit) => {
    person.abort(new Error('interrupted'));
    throwIfInterrupted(limit.signal);
    return forever();
  }, person.signal);
  await assert.rejects(work, /interrupted/);
});

for (const [command, did] of [
  ['apply', /not finished within 500ms: reaching http:/],
  ['delete', /not finished within 500ms: reaching http:/],
] as const) {
  test(`kfctl ${command} --timeout bounds a server that never answers, too`, { timeout: 60_000 }, async (t) => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => void sockets.add(socket));
    const port = await listen(silent, 0, '127.0.0.1');
    const home = mkdtempSync(path.join(tmpdir(), 'kfctl-'));
    t.after(() => {
      sockets.forEach((socket) => socket.destroy());
      silent.close();
      rmSync(home, { recursive: true });
    });
    const kubeconfig = path.join(home, 'kubeconfig');
    const server = `http://127.0.0.1:${String(port)}`;
    writeFileSync(
      kubeconfig,
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Config',
        'current-context': 'x',
        contexts: [{ name: 'x', context: { cluster: 'x', user: 'x' } }],
        clusters: [{ name: 'x', cluster: { server } }],
        users: [{ name: 'x', user: {} }],
      }),
    );
    const run = async (directory: string, argv: string[]): Promise<{ code: number; text: string }> => {
      let text = '';
      const write = (more: string): void => void (text += more);
      const env = { HOME: home, KUBECONFIG: kubeconfig };
      const signal = new AbortController().signal;
      return { code: await runKfctl({ argv, env, directory, stdout: { write }, stderr: { write }, signal }), text };
    };
    assert.equal((await run(home, ['init', 'demo'])).code, 0);
    const app = path.join(home, 'demo');
    assert.equal((await run(app, ['generate'])).code, 0);
    const { code, text } = await run(app, [command, 'all', '--timeout', '500ms']);
    assert.equal(code, 1);
    assert.match(text, did);
  });
}
