import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseConfig } from './config.ts';

test('the environment chooses addresses and sandbox, for tests of what another machine has', () => {
  const args = ['--data-dir', '/d'];
  assert.deepEqual(parseConfig(args, {}), { dataDirectory: '/d', loopback: 'auto' });
  const env = { KFCTL_LOOPBACK: 'single', KFCTL_SANDBOX: 'none', NODE_COMPILE_CACHE: '/c' };
  assert.deepEqual(parseConfig([...args, '--api-port', '0'], env), {
    dataDirectory: '/d',
    loopback: 'single',
    sandboxes: ['none'],
    apiPort: 0,
    compileCache: '/c',
  });
});

for (const [args, env, message] of [
  [[], {}, /--data-dir is missing/],
  [['--data-dir', '/d', '--api-port', '70000'], {}, /70000 is no port/],
  [['--data-dir', '/d'], { KFCTL_LOOPBACK: 'two' }, /KFCTL_LOOPBACK is "two", and can be auto, single, many/],
  [['--data-dir', '/d'], { KFCTL_SANDBOX: 'docker' }, /KFCTL_SANDBOX is "docker", and can be root, user, none/],
] as const) {
  test(`refuses ${JSON.stringify([args, env])}`, () =>
    assert.throws(() => parseConfig(args, env), { code: 'CONFIG_INVALID', message }));
}
