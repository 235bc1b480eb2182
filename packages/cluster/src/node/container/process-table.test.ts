import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { firstChild, firstChildByPs, identityByPs, processIdentity } from './process-table.ts';

for (const [source, identity, child] of [
  ['what the machine has', processIdentity, firstChild],
  ['ps, as on macOS', identityByPs, firstChildByPs],
] as const) {
  test(`a process is the same as long as it runs, and a child of its parent: ${source}`, async (t) => {
    const own = spawn('sh', ['-c', 'sleep 60 & wait'], { detached: true, stdio: 'ignore' });
    await once(own, 'spawn');
    const pid = own.pid ?? 0;
    const end = (): void => void process.kill(-pid, 'SIGKILL');
    t.after(() => {
      if (own.exitCode === null && own.signalCode === null) end();
    });
    const first = await identity(pid);
    assert.ok(first);
    assert.equal(await identity(pid), first);
    assert.notEqual(await identity(1), first);
    let sleep = await child(pid);
    for (; sleep === undefined; sleep = await child(pid)) await new Promise(setImmediate);
    assert.notEqual(sleep, pid);
    end();
    await once(own, 'exit');
    assert.equal(await identity(pid), undefined);
    assert.equal(await child(pid), undefined);
  });
}
