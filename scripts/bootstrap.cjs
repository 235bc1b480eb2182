#!/usr/bin/env node
// Brings a fresh clone to life with nothing but npm: installs when the lock file is newer than what is installed, then hands
// over to a TypeScript entry point on the pinned Node. Plain CommonJS, so that any Node that npm runs on can start it.
'use strict';
const { existsSync, readFileSync, statSync, writeFileSync, mkdirSync } = require('node:fs');
const { spawn, spawnSync } = require('node:child_process');
const { createHash } = require('node:crypto');
const path = require('node:path');

const root = path.dirname(__dirname);
const [entry, ...args] = process.argv.slice(2);
const stamp = path.join(root, 'node_modules', '.kfctl-installed');
const wanted = createHash('sha256')
  .update(readFileSync(path.join(root, 'package-lock.json')))
  .digest('hex');
const installed = existsSync(stamp) ? readFileSync(stamp, 'utf8') : installedByHand() ? wanted : '';

/** A person's own `npm ci` counts: npm writes its hidden lock file last. */
function installedByHand() {
  const hidden = path.join(root, 'node_modules', '.package-lock.json');
  return existsSync(hidden) && statSync(hidden).mtimeMs >= statSync(path.join(root, 'package-lock.json')).mtimeMs;
}

if (installed !== wanted) {
  process.stderr.write('installing dependencies (npm ci) …\n');
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: process.platform === 'win32',
  });
  if (result.status !== 0) {
    process.stderr.write('npm ci failed; see the messages above\n');
    process.exit(result.status || 1);
  }
  writeFileSync(stamp, wanted);
}

const node = path.join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const cache = path.join(root, 'node_modules', '.cache', 'node-compile');
mkdirSync(cache, { recursive: true });
const runtime = existsSync(node) ? node : process.execPath;
const env = {
  ...process.env,
  NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE || cache,
  NODE_COMPILE_CACHE_PORTABLE: '1',
};

// The dashboard's pages are built and the compile cache is filled; nothing happens when both are up to date.
for (const script of ['packages/dashboard/scripts/build-web.ts', 'scripts/warm-cache.ts']) {
  const done = spawnSync(runtime, [path.join(root, script)], { env, stdio: 'inherit' });
  if (done.status !== 0) process.exit(done.status || 1);
}

const argv = [path.resolve(root, entry), ...args];

// npm changes into the root; the person stands where the names that they typed are meant.
const asked = process.env.INIT_CWD;
if (asked && ['start', 'kfctl'].includes(process.env.npm_lifecycle_event) && existsSync(asked)) process.chdir(asked);

// Where Node can, it becomes the program: one process less in memory, and signals need no forwarding.
if (typeof process.execve === 'function' && process.platform !== 'win32') {
  process.removeAllListeners('warning');
  process.execve(runtime, [runtime, ...argv], env);
}
const child = spawn(runtime, argv, { stdio: 'inherit', env });
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
child.on('exit', (code, signal) => {
  if (signal) {
    process.removeAllListeners(signal);
    process.kill(process.pid, signal);
  }
  process.exitCode = code === null ? 1 : code;
});
