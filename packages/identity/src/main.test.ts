import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { configText } from '../test/test-identity.ts';

interface Result {
  readonly code: number;
  readonly output: string;
}

async function run(t: TestContext, args: readonly string[], until?: RegExp): Promise<Result> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts'), ...args]);
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
    if (until?.test(output) === true) child.kill('SIGTERM');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  const [code] = (await once(child, 'exit')) as [number];
  return { code, output };
}

function file(t: TestContext, text: string): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'identity-main-'));
  t.after(() => rmSync(directory, { recursive: true }));
  writeFileSync(path.join(directory, 'config.yaml'), text);
  return path.join(directory, 'config.yaml');
}

test('serves, and ends with 0 when asked to', async (t) => {
  const { code, output } = await run(t, ['serve', file(t, configText())], /serving/);
  assert.equal(code, 0, output);
});

test('check names mistakes and ends with 1, or says what to do next', async (t) => {
  const good = await run(t, ['check', file(t, configText())]);
  assert.equal(good.code, 0, good.output);
  assert.match(good.output, /can be served: 2 users, 5 clients/);
  const bad = await run(t, ['check', file(t, 'issuer: x\n')]);
  assert.equal(bad.code, 1);
  assert.match(bad.output, /line 1: issuer is not an http or https URL/);
});

test('serve refuses a broken or missing file with 1 and the reason, and anything else with the usage', async (t) => {
  const broken = await run(t, ['serve', file(t, 'storage: {type: memory}\n')]);
  assert.equal(broken.code, 1);
  assert.match(broken.output, /^line 1: issuer is required\n +1 \| storage:/m);
  const missing = await run(t, ['serve', '/nonexistent/config.yaml']);
  assert.equal(missing.code, 1);
  assert.match(missing.output, /cannot read the configuration file/);
  const usage = await run(t, ['frobnicate']);
  assert.equal(usage.code, 2);
  assert.match(usage.output, /^Usage:\n {2}identity serve CONFIG/);
});
