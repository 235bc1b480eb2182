import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { createBatchedWrite } from './batched-write.ts';

test('lines of one turn of the event loop leave in one write, in order', async () => {
  const written: string[] = [];
  const write = createBatchedWrite({ write: (lines) => written.push(lines), onExit: () => undefined });
  write('a\n');
  write('b\n');
  assert.deepEqual(written, []);
  await turn();
  assert.deepEqual(written, ['a\nb\n']);
  write('c\n');
  await turn();
  assert.deepEqual(written, ['a\nb\n', 'c\n']);
});

test('a flood does not wait for the turn', () => {
  const written: string[] = [];
  const write = createBatchedWrite({ write: (lines) => written.push(lines), onExit: () => undefined });
  for (let count = 0; count < 100; count += 1) write(`${'x'.repeat(1000)}\n`);
  assert.equal(written.length, 1);
});

test('what waits is written when the process exits', () => {
  const module = new URL('batched-write.ts', import.meta.url).href;
  const program = `import { createStderrBatch } from '${module}'; createStderrBatch()('last words\\n'); process.exit(0);`;
  const shell = ['-c', '"$0" --input-type=module -e "$1" 2>&1', process.execPath, program];
  assert.equal(execFileSync('sh', shell, { encoding: 'utf8' }), 'last words\n');
});
