import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { lockDataDirectory, openDataDirectory, purgeDataDirectory, recordVersion } from './claim-data-directory.ts';
import { VERSION } from '../version.ts';
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

test('a folder tells which version used it last; one of a format from later is left as it is, with what to do', () => {
  const data = dataDirectory(path.join(root, 'data'));
  const marker = path.join(data.path, '.kfctl-data');
  assert.equal(openDataDirectory(data), undefined);
  assert.equal(openDataDirectory(data), VERSION);
  writeFileSync(marker, 'A local cluster of kfctl lives here: kfctl down --purge removes this folder.\n');
  assert.equal(openDataDirectory(data), '', 'from before versions were written down');
  writeFileSync(marker, 'words\nformat 1, used by kfctl 9.8.7\n');
  assert.equal(openDataDirectory(data), '9.8.7');
  assert.equal(openDataDirectory(data), '9.8.7', 'looking changes nothing');
  recordVersion(data);
  assert.equal(openDataDirectory(data), VERSION);
  const later = 'words\nformat 99, used by kfctl 9.8.7\n';
  writeFileSync(marker, later);
  assert.throws(() => openDataDirectory(data), {
    code: 'DATA_DIRECTORY_INVALID',
    message: new RegExp(`was last used by kfctl 9\\.8\\.7, whose format 99 this kfctl ${VERSION} does not know`),
    hint: /Use kfctl 9\.8\.7 for it, .*kfctl down --purge --data-dir/,
  });
  assert.equal(readFileSync(marker, 'utf8'), later);
  assert.equal(purgeDataDirectory(data), true, 'whoever wants to begin anew can');
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
