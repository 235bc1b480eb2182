/** The ways from a shell into kfctl in a checkout: the command itself, by links, by npm. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { VERSION } from '../version.ts';

const packageFolder = path.resolve(import.meta.dirname, '../..');
const root = path.resolve(packageFolder, '../..');
let folder = '';
beforeEach(() => {
  folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'kfctl-launcher-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function run(
  program: string,
  args: string[],
  { cwd = folder, env = {} }: { cwd?: string; env?: Record<string, string> } = {},
): { code: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', HOME: folder, ...env },
  });
  return { code: status, text: stdout + stderr };
}

test('the command works by a link to it and by a link to its folder, as node_modules has them', () => {
  symlinkSync(packageFolder, path.join(folder, 'package'));
  symlinkSync('package/bin/kfctl', path.join(folder, 'kfctl'));
  for (const program of ['kfctl', 'package/bin/kfctl']) {
    assert.deepEqual(run(path.join(folder, program), ['version']), { code: 0, text: `kfctl v${VERSION}\n` });
  }
});

test('npm run kfctl works in the folder where the person is', () => {
  const bootstrap = path.join(root, 'scripts/bootstrap.cjs');
  const args = [bootstrap, 'packages/kfctl/src/main.ts', 'generate'];
  const npm = { INIT_CWD: folder, npm_lifecycle_event: 'kfctl' };
  const { code, text } = run(process.execPath, args, { cwd: root, env: npm });
  assert.equal(code, 1);
  assert.match(text, new RegExp(`^error: ${folder} is no application directory`));
});
