import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { lockDataDirectory, openDataDirectory, purgeDataDirectory } from './claim-data-directory.ts';
import { dataDirectory, readLock, startTimeByPs, unlockDataDirectory } from './data-directory.ts';

let root = '';
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'data-'));
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

test('a new folder is for its owner only, and an existing one is taken again', () => {
  const data = dataDirectory(path.join(root, 'new/data'));
  openDataDirectory(data);
  openDataDirectory(data);
  assert.equal(statSync(data.path).mode & 0o777, 0o700);
});

test('a folder with other things in it is neither taken nor purged', () => {
  writeFileSync(path.join(root, 'thesis.tex'), 'x');
  assert.throws(() => openDataDirectory(dataDirectory(root)), /is not empty and no data folder of kfctl/);
  assert.throws(() => purgeDataDirectory(dataDirectory(root)), /nothing was removed/);
  assert.ok(existsSync(path.join(root, 'thesis.tex')));
});

test('a place that cannot be written is named', () => {
  writeFileSync(path.join(root, 'file'), 'x');
  assert.throws(() => openDataDirectory(dataDirectory(path.join(root, 'file/data'))), /cannot write .*file\/data/);
});

test('purge removes a data folder', () => {
  const data = dataDirectory(path.join(root, 'data'));
  openDataDirectory(data);
  assert.equal(purgeDataDirectory(data), true);
  assert.equal(purgeDataDirectory(data), false);
});

test('a second up on the same folder is refused, naming the process', () => {
  const data = dataDirectory(path.join(root, 'data'));
  openDataDirectory(data);
  lockDataDirectory(data, process.pid);
  assert.throws(
    () => lockDataDirectory(data, process.pid),
    new RegExp(`already running on .* \\(process ${process.pid}\\)`),
  );
  unlockDataDirectory(data, 1);
  assert.equal(readLock(data)?.pid, process.pid, 'another process cannot give it back');
  unlockDataDirectory(data, process.pid);
  assert.equal(readLock(data), undefined);
});

test('where there is no /proc, ps tells one process from another', () => {
  assert.match(startTimeByPs(process.pid), /\d{4}$/);
  assert.equal(startTimeByPs(process.pid), startTimeByPs(process.pid));
  assert.equal(startTimeByPs(2 ** 22 + 1), '');
});

test('the lock of a process that is gone, of another of the same number, or a damaged one does not hold', () => {
  const data = dataDirectory(path.join(root, 'data'));
  openDataDirectory(data);
  for (const text of [
    { pid: 2 ** 22 + 1, startTime: '1' },
    { pid: process.pid, startTime: 'other' },
    { pid: -1, startTime: '' },
  ]) {
    writeFileSync(path.join(data.path, 'up.json'), JSON.stringify(text));
    assert.equal(readLock(data), undefined);
    lockDataDirectory(data, process.pid);
    unlockDataDirectory(data, process.pid);
  }
  writeFileSync(path.join(data.path, 'up.json'), 'garbage');
  lockDataDirectory(data, process.pid);
  assert.equal(readLock(data)?.pid, process.pid);
});
