import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { LogRequest } from '../../api/node-gateway.ts';
import { openLogWriter } from './log-writer.ts';
import { readLog } from './read-log.ts';
import type { LogSource } from './read-log.ts';

async function logFile(t: TestContext): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'kfctl-log-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  return join(directory, '0.log');
}

const plain: LogRequest = { container: 'c', follow: false, previous: false, timestamps: false };

async function read(
  source: LogSource,
  request: Partial<LogRequest> = {},
  signal = new AbortController().signal,
): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of readLog(source, { ...plain, ...request }, signal)) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

test('lines come back as they were written, whatever the chunks', async (t) => {
  const writer = await openLogWriter({ file: await logFile(t) });
  for (const part of ['on', 'e\ntw', 'o\n', 'rest']) writer.write('stdout', Buffer.from(part));
  writer.write('stderr', Buffer.from('aside\n'));
  await writer.close();
  assert.equal(await read(writer), 'one\ntwo\naside\nrest\n');
  assert.equal(await read(writer, { tailLines: 2 }), 'aside\nrest\n');
  assert.equal(await read(writer, { tailLines: 0 }), '');
  assert.equal(await read(writer, { limitBytes: 5 }), 'one\nt');
});

test('each line knows its time', async (t) => {
  let now = Date.parse('2026-01-02T03:04:05.006Z');
  const writer = await openLogWriter({ file: await logFile(t), now: () => new Date(now) });
  writer.write('stdout', Buffer.from('early\n'));
  now += 60_000;
  writer.write('stdout', Buffer.from('late\n'));
  await writer.close();
  assert.equal(await read(writer, { timestamps: true, tailLines: 1 }), '2026-01-02T03:05:05.006000000Z late\n');
  assert.equal(await read(writer, { sinceTime: '2026-01-02T03:04:30Z' }), 'late\n');
});

test('a reader that follows gets what comes, once, until the container ends', async (t) => {
  const writer = await openLogWriter({ file: await logFile(t) });
  writer.write('stdout', Buffer.from('before\n'));
  const all = read({ file: writer.file, writer }, { follow: true });
  await new Promise(setImmediate);
  for (let line = 0; line < 50; line += 1) writer.write('stdout', Buffer.from(`line ${line}\n`));
  await writer.flushed();
  writer.write('stdout', Buffer.from('after\n'));
  await writer.close();
  const text = await all;
  assert.equal(text, `before\n${Array.from({ length: 50 }, (_item, line) => `line ${line}\n`).join('')}after\n`);
});

test('a reader that follows ends with its signal', async (t) => {
  const writer = await openLogWriter({ file: await logFile(t) });
  const abort = new AbortController();
  const all = read({ file: writer.file, writer }, { follow: true }, abort.signal);
  writer.write('stdout', Buffer.from('x\n'));
  await new Promise(setImmediate);
  abort.abort();
  assert.match(await all, /^(x\n)?$/);
  await writer.close();
});

test('a log is bounded: the older half goes when it is full', async (t) => {
  const file = await logFile(t);
  const writer = await openLogWriter({ file, maxBytes: 2_000 });
  for (let line = 0; line < 200; line += 1) {
    writer.write('stdout', Buffer.from(`line ${line} ${'.'.repeat(50)}\n`));
    await writer.flushed();
  }
  await writer.close();
  const sizes = await Promise.all([file, `${file}.1`].map(async (path) => (await stat(path)).size));
  assert.ok(
    sizes.every((size) => size < 2_300),
    String(sizes),
  );
  assert.match(await read(writer), /line 199/);
});

test('a line without end is cut into parts that read as one', async (t) => {
  const writer = await openLogWriter({ file: await logFile(t) });
  writer.write('stdout', Buffer.from('x'.repeat(40_000)));
  writer.write('stdout', Buffer.from('y\nnext\n'));
  await writer.close();
  assert.equal(await read(writer), `${'x'.repeat(40_000)}y\nnext\n`);
  assert.equal(await read(writer, { tailLines: 2 }), `${'x'.repeat(40_000)}y\nnext\n`);
  assert.equal((await readFile(writer.file, 'utf8')).split('\n').length, 5);
});
