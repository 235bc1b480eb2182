import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { test } from 'node:test';
import { STARTUP_FLAGS } from './startup-flags.ts';

const file = path.join(import.meta.dirname, 'startup-flags.ts');

/** V8's tag for compiled code tells whether its flags have changed. */
function run(flags: readonly string[], body: string): string {
  const program = `import { optimiseWhenBusy } from ${JSON.stringify(file)};
    const tag = () => process.getBuiltinModule('node:v8').cachedDataVersionTag();
    const first = tag();
    optimiseWhenBusy({ everyMs: 20, share: 0.2 });
    ${body}`;
  const args = [...flags, '--input-type=module', '-e', program];
  const { stdout, status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', timeout: 20_000 });
  assert.equal(status, 0, stderr);
  return stdout.trim();
}

const WORK = `const work = () => {
    for (const end = performance.now() + 15; performance.now() < end; );
    if (tag() === first) setTimeout(work, 1);
    else console.log('optimises');
  };
  work();`;
const WAIT = `let ticks = 0;
  const timer = setInterval(() => {
    if (++ticks < 10) return;
    clearInterval(timer);
    console.log(tag() === first ? 'as before' : 'optimises');
  }, 20);`;

const BUSY_TICK = `(() => {
    for (const end = performance.now() + 15; performance.now() < end; );
    return ++ticks;
  })()`;

test('a process that was started with the flags optimises once it is busy', () => {
  assert.equal(run(STARTUP_FLAGS, WORK), 'optimises');
});

test('a process that waits stays as it was started', () => {
  assert.equal(run(STARTUP_FLAGS, WAIT), 'as before');
});

test('watching keeps no process alive, and leaves one without the flags alone', () => {
  assert.equal(run(STARTUP_FLAGS, ''), '');
  assert.equal(run([], WAIT.replace('++ticks', BUSY_TICK)), 'as before');
});
