import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';

test('does not keep a process alive, and leaves no gc function behind', () => {
  const file = path.join(import.meta.dirname, 'release-memory.ts');
  const program = `import { releaseStartupMemory } from ${JSON.stringify(file)}; releaseStartupMemory(); console.log(typeof globalThis.gc);`;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: 20_000,
  });
  assert.equal(status, 0);
  assert.equal(stdout.trim(), 'undefined');
});
