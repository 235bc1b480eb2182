import assert from 'node:assert/strict';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { delay } from '@kfctl/core';
import { watchConfig } from '../config/watch-config.ts';
import { configText, HASH, openLogin, startTestIdentity, USERS } from '../../test/test-identity.ts';
import type { TestIdentity } from '../../test/test-identity.ts';

const NEW_USER = `- {email: new@example.com, hash: "${HASH}", username: new, userID: "3"}\n`;

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await delay(10);
}

function logged(identity: TestIdentity, message: string): boolean {
  return identity.log.some((line) => line.includes(`"msg":"${message}"`));
}

test('a user added to the file can log in without a restart; a broken file changes nothing and is named', async (t) => {
  const identity = await startTestIdentity();
  t.after(() => identity.stop());
  const tryLogin = async (name: string): Promise<number> =>
    (await identity.post(await openLogin(identity), { login: name, password: 'password' })).status;
  assert.equal(await tryLogin('new@example.com'), 401);
  const openBefore = await openLogin(identity);

  writeFileSync(identity.file, configText({ config: USERS + NEW_USER }));
  await until(() => logged(identity, 'configuration changed'));
  assert.equal(await tryLogin('new@example.com'), 303);
  const { status } = await identity.post(openBefore, { login: 'zoe@example.com', password: 'password' });
  assert.equal(status, 303);

  writeFileSync(identity.file, configText({ config: `${USERS}connectors: [{type: nonsense, id: x, name: X}]\n` }));
  await until(() => logged(identity, 'configuration refused, the one before stays in use'));
  assert.ok(identity.log.some((line) => line.includes('connectors[0].type is')));
  assert.equal(await tryLogin('new@example.com'), 303);
  const detail = async (): Promise<unknown> => (await fetch(`${identity.telemetry}/healthz`)).json();
  const metrics = async (): Promise<string> => (await fetch(`${identity.telemetry}/metrics`)).text();
  assert.deepEqual(await detail(), { status: 'ok', configuration: 'newest file refused, mistakes: 1 (see the log)' });
  assert.equal((await fetch(`${identity.telemetry}/healthz/ready`)).status, 200);
  assert.match(await metrics(), /^identity_config_in_use 0$/m);

  const changes = (): number => identity.log.filter((line) => line.includes('configuration changed')).length;
  const seen = changes();
  writeFileSync(identity.file, configText({ config: USERS }));
  await until(() => changes() > seen);
  assert.deepEqual(await detail(), { status: 'ok', configuration: 'in use' });
  assert.match(await metrics(), /^identity_config_in_use 1$/m);
  assert.match(await metrics(), /^identity_config_loaded_timestamp_seconds \d{10}$/m);
  assert.equal(await tryLogin('new@example.com'), 401);
});

test('a duplicated connectors key in the new file is explained, and the old file goes on', async (t) => {
  const identity = await startTestIdentity();
  t.after(() => identity.stop());
  const connector = 'connectors:\n- {type: mockCallback, id: m, name: M}\n';
  writeFileSync(identity.file, configText({ config: `${USERS}${connector}${connector}` }));
  await until(() => logged(identity, 'configuration refused, the one before stays in use'));
  assert.ok(identity.log.some((line) => /connectors is given twice.*Join both under one/.test(line)));
  assert.equal((await identity.fetch('/dex/keys')).status, 200);
});

test('changes that need a restart are named and do not take effect by half', async (t) => {
  const identity = await startTestIdentity();
  t.after(() => identity.stop());
  writeFileSync(identity.file, configText({ issuer: 'https://other.example/x' }));
  await until(() => logged(identity, 'some changes need a restart of the process'));
  assert.equal((await identity.fetch('/dex/keys')).status, 200);
});

test('the symlink swap of a ConfigMap volume is noticed', async (t) => {
  const directory = mkdtempSync(path.join(tmpdir(), 'identity-volume-'));
  const abort = new AbortController();
  t.after(() => {
    abort.abort();
    rmSync(directory, { recursive: true });
  });
  const publish = (name: string, text: string): void => {
    mkdirSync(path.join(directory, name));
    writeFileSync(path.join(directory, name, 'config.yaml'), text);
    symlinkSync(name, path.join(directory, '..data_tmp'));
    renameSync(path.join(directory, '..data_tmp'), path.join(directory, '..data'));
  };
  publish('..1', 'one');
  symlinkSync(path.join('..data', 'config.yaml'), path.join(directory, 'config.yaml'));
  const seen = new Promise<string>((resolve) => {
    const file = path.join(directory, 'config.yaml');
    watchConfig({ file, text: 'one', signal: abort.signal, onChange: (text) => Promise.resolve(resolve(text)) });
  });
  publish('..2', 'two');
  assert.equal(await seen, 'two');
});
