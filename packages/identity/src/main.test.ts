import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { configText } from '../test/test-identity.ts';

interface Result {
  readonly code: number;
  readonly output: string;
}

interface RunOptions {
  /** The process is asked to end when its output holds this. */
  readonly until?: RegExp;
  readonly input?: string;
}

async function run(t: TestContext, args: readonly string[], { until, input = '' }: RunOptions = {}): Promise<Result> {
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts'), ...args]);
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  const collect = (chunk: Buffer): void => {
    output += chunk.toString();
    if (until?.test(output) === true) child.kill('SIGTERM');
  };
  child.stdout.on('data', collect);
  child.stderr.on('data', collect);
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
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
  const { code, output } = await run(t, ['serve', file(t, configText())], { until: /serving/ });
  assert.equal(code, 0, output);
});

test('takes the options that charts of Dex pass, tells its version, and SIGHUP does not end it', async (t) => {
  const config = file(
    t,
    configText()
      .replace(/web: .*/, '')
      .replace(/telemetry: .*/, ''),
  );
  const options = ['--web-http-addr', '127.0.0.1:0', '--telemetry-addr', '127.0.0.1:0'];
  const child = spawn(process.execPath, [path.join(import.meta.dirname, 'main.ts'), 'serve', ...options, config]);
  t.after(() => child.kill('SIGKILL'));
  let output = '';
  let port = '';
  while (port === '' && child.exitCode === null) {
    const [chunk] = (await once(child.stderr, 'data')) as [Buffer];
    output += chunk.toString();
    port = /serving .*port=(\d+)/.exec(output)?.[1] ?? '';
  }
  child.stderr.resume();
  child.kill('SIGHUP');
  const health = `http://127.0.0.1:${port}/dex/healthz`;
  assert.equal((await fetch(health)).status, 200, output);
  child.kill('SIGTERM');
  assert.deepEqual(await once(child, 'exit'), [0, null]);
  const wrong = await run(t, ['serve', '--web-http-addr', 'nonsense', config]);
  assert.equal(wrong.code, 1);
  assert.match(wrong.output, /is not host:port in --web-http-addr/);
  assert.match((await run(t, ['version'])).output, /^identity \d+\.\d+\.\d+\n$/);
  assert.equal((await run(t, ['serve', '--web-http-address', 'x', config])).code, 2);
});

test('check names mistakes and ends with 1, or says what to do next', async (t) => {
  const good = await run(t, ['check', file(t, configText())]);
  assert.equal(good.code, 0, good.output);
  assert.match(good.output, /can be served: 2 users, 5 clients/);
  const bad = await run(t, ['check', file(t, 'issuer: x\n')]);
  assert.equal(bad.code, 1);
  assert.match(bad.output, /line 1: issuer is not an http or https URL/);
});

test('check tries every connector: files, keys and upstreams that say where they are', async (t) => {
  const upstream = createServer((_request, response) => response.writeHead(503).end()).listen(0, '127.0.0.1');
  await once(upstream, 'listening');
  t.after(() => upstream.close());
  const port = (upstream.address() as AddressInfo).port;
  const login = 'clientID: a, clientSecret: hidden-secret, redirectURI: "https://a/dex/callback"';
  const urls =
    'authorizationURL: "https://up.example/authorize", tokenURL: "https://up.example/t", userInfoURL: "https://up.example/u"';
  const saml =
    'ssoURL: "https://a/", redirectURI: "https://a/", usernameAttr: a, emailAttr: a, ca: /nonexistent/ca.pem';
  const config = `connectors:
- {type: oidc, id: down, name: Down, config: {issuer: "http://127.0.0.1:${port}/", ${login}}}
- {type: saml, id: nocert, name: Saml, config: {${saml}}}
- {type: oauth, id: good, name: Good, config: {${login}, ${urls}}}
- {type: mockPassword, id: pw, name: Pw, config: {username: a, password: b}}
`;
  const { code, output } = await run(t, ['check', file(t, configText({ config }))]);
  assert.equal(code, 1, output);
  assert.match(output, /connector down \(oidc\):\n {2}failed: .*/);
  assert.match(output, /connector nocert \(saml\):\n {2}failed: .*\/nonexistent\/ca\.pem/);
  assert.match(output, /connector good \(oauth\):\n {2}people are sent to https:\/\/up\.example\/authorize\n/);
  assert.match(output, /connector pw \(mockPassword\):\n {2}its settings are good/);
  assert.match(output, /Next: correct what the connectors say above/);
  assert.ok(!output.includes('hidden-secret'));
});

test('check takes the file from standard input, after a line with the password', async (t) => {
  const config = `${configText()}connectors: [{type: mockPassword, id: pw, name: Pw, config: {username: a, password: b}}]\n`;
  const good = await run(t, ['check', '-', '--user', 'a', '--password-stdin'], { input: `hunter2\n${config}` });
  assert.equal(good.code, 0, good.output);
  assert.match(good.output, /standard input can be served: 2 users/);
  assert.doesNotMatch(good.output, /hunter2/);
  const plain = await run(t, ['check', '-'], { input: 'issuer: x\n' });
  assert.match(plain.output, /line 1: issuer is not an http or https URL/);
  assert.equal((await run(t, ['check', file(t, config), '--password-stdin'])).code, 2);
});

test('check explains a connectors key that was appended a second time', async (t) => {
  const connector = 'connectors:\n- {type: mockCallback, id: m, name: M}\n';
  const { code, output } = await run(t, ['check', file(t, configText({ config: connector + connector }))]);
  assert.equal(code, 1);
  assert.match(output, /connectors is given twice.*\n(?:.*\n)*.*Join both under one "connectors:" key/);
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
