import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, watch, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { promisify } from 'node:util';
import { isAppError } from '@kfctl/core';
import { ExitCode } from '../../cli/exit-code.ts';
import { createTerminal } from '../../cli/terminal.ts';
import { openDataDirectory } from '../claim-data-directory.ts';
import { dataDirectory } from '../data-directory.ts';
import type { DataDirectory } from '../data-directory.ts';
import { supervise } from './supervise.ts';

// The processes are stand-ins of a few lines: what is tested is how they are kept, told and ended.
const NOTE = `const { appendFileSync } = require('node:fs');
const data = process.argv[2] === '--data-dir' ? process.argv[3] : process.argv[2];
const note = (text) => appendFileSync(data + '/notes', text + ' ' + process.pid + '\\n');`;
const STAY = `setInterval(() => undefined, 1e6); process.on('SIGTERM', () => { note('stopped'); process.exit(0); });`;
const READY = `process.send({ kind: 'ready' }); note('ready');`;
const ON_READY = `process.on('message', (message) => { note('told ' + message.kind); process.disconnect(); });`;

let data: DataDirectory;
let printed = '';
let abort = new AbortController();
beforeEach(() => {
  const root = mkdtempSync(path.join(tmpdir(), 'supervise-'));
  data = dataDirectory(path.join(root, 'data'));
  openDataDirectory(data);
  writeFileSync(path.join(data.path, 'notes'), '');
  printed = '';
  abort = new AbortController();
});
afterEach(() => rmSync(path.dirname(data.path), { recursive: true, force: true }));

function program(name: string, body: string): string {
  const file = path.join(path.dirname(data.path), `${name}.cjs`);
  writeFileSync(file, `${NOTE}\n${body}\n`);
  return file;
}

function run(cluster: string, installer: string, graceMs = 2500): Promise<void> {
  const stream = { write: (text: string) => (printed += text) };
  return supervise({
    data,
    graceMs,
    terminal: createTerminal({ stdout: stream, stderr: stream }),
    signal: abort.signal,
    env: { PATH: process.env['PATH'], KUBEFLOW_PASSWORD: 'very-secret' },
    programs: { cluster: program('cluster', cluster), installer: program('installer', installer) },
  });
}

const notes = (): string[] => readFileSync(path.join(data.path, 'notes'), 'utf8').trimEnd().split('\n');
const pids = (): number[] => notes().map((line) => Number(line.slice(line.lastIndexOf(' ') + 1)));

/** Resolves when the notes hold these words, in any order. */
function noted(...words: string[]): Promise<void> {
  const complete = (): boolean => words.every((word) => notes().some((line) => line.startsWith(`${word} `)));
  return new Promise((resolve) => {
    const watcher = watch(path.join(data.path, 'notes'), () => {
      if (!complete()) return;
      watcher.close();
      resolve();
    });
    if (complete()) {
      watcher.close();
      resolve();
    }
  });
}

function assertGone(): void {
  for (const pid of pids()) assert.throws(() => process.kill(pid, 0), { code: 'ESRCH' });
}

test('tells the installer when the cluster is ready, stays when it is done, and ends everything when asked', async () => {
  const running = run(`${STAY} ${READY}`, ON_READY);
  await noted('ready', 'told cluster-ready');
  abort.abort();
  await running;
  assert.ok(notes().some((line) => line.startsWith('stopped ')));
  assertGone();
});

test('an installation that fails ends the cluster and the command', async () => {
  await assert.rejects(
    run(`${STAY} ${READY}`, `process.on('message', () => { note('told'); process.exit(1); });`),
    (error) => {
      assert.ok(error instanceof ExitCode);
      return error.code === 1;
    },
  );
  assertGone();
});

test('after an installation that failed nothing is started again: the process can end', async () => {
  const programs = {
    cluster: program('cluster', `${STAY} ${READY}`),
    installer: program('installer', `process.on('message', () => process.exit(1));`),
  };
  const script = `
    import { supervise } from ${JSON.stringify(new URL('supervise.ts', import.meta.url).href)};
    const terminal = { verbose: false, warn: console.log };
    const signal = new AbortController().signal;
    const input = ${JSON.stringify({ data, programs, env: { PATH: process.env['PATH'] } })};
    await supervise({ ...input, terminal, signal }).catch((error) => console.log(error.name));`;
  const command = [process.execPath, ['--input-type=module', '-e', script], { timeout: 20_000 }] as const;
  assert.equal((await promisify(execFile)(...command)).stdout, 'ExitCode\n');
  assert.equal(notes().filter((line) => line.startsWith('ready ')).length, 1);
});

test('a cluster that cannot start is told with the end of its log', async () => {
  const broken = run(`console.error('address 127.64.0.1:6443 is taken'); process.exit(3);`, STAY);
  await assert.rejects(broken, (error) => {
    assert.ok(isAppError(error));
    assert.match(error.message, /the local cluster ended \(exit code 3\):\naddress 127\.64\.0\.1:6443 is taken/);
    return true;
  });
});

test('of a JSON log the errors are told, and only those of this start', async () => {
  writeFileSync(data.logFile, '{"level":"error","msg":"an old one"}\n');
  const line = JSON.stringify({ level: 'error', msg: 'cannot start', error: 'address taken', hint: 'Free it.' });
  const broken = run(`console.error('noise'); console.error(${JSON.stringify(line)}); process.exit(1);`, STAY);
  await assert.rejects(broken, {
    message: 'the local cluster ended (exit code 1):\ncannot start: address taken (Free it.)',
  });
});

test('a cluster that dies later is started again', async () => {
  const running = run(
    `const { existsSync, writeFileSync } = require('node:fs');
     const mark = data + '/mark';
     ${READY}
     if (existsSync(mark)) { note('again'); ${STAY} }
     else { writeFileSync(mark, ''); process.on('message', () => {}); setTimeout(() => process.kill(process.pid, 'SIGKILL'), 20); }`,
    ON_READY,
  );
  await noted('again', 'told cluster-ready');
  abort.abort();
  await running;
  assert.match(printed, /the local cluster ended \(SIGKILL\); starting it again/);
  assertGone();
});

test('a cluster that does not end by itself is ended', async () => {
  const running = run(
    `setInterval(() => undefined, 1e6); process.on('SIGTERM', () => note('deaf')); ${READY}`,
    ON_READY,
    300,
  );
  await noted('ready', 'told cluster-ready');
  abort.abort();
  await running;
  assert.ok(notes().some((line) => line.startsWith('deaf ')));
  assertGone();
});

test('the password reaches the installer and not the cluster', async () => {
  const password = `note('password ' + process.env.KUBEFLOW_PASSWORD);`;
  const running = run(`${STAY} ${password} ${READY}`, `${password} ${ON_READY}`);
  await noted('ready', 'told cluster-ready');
  abort.abort();
  await running;
  const told = notes()
    .filter((line) => line.startsWith('password '))
    .map((line) => line.split(' ')[1]);
  assert.deepEqual(told.toSorted(), ['undefined', 'very-secret']);
});
