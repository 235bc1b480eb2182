/** Users and checks by the command line, on the local API server. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Readable } from 'node:stream';
import { after, before, test } from 'node:test';
import { delay, silentLogger } from '@kfctl/core';
import { defineResource, resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import { startApiServer } from '../../../cluster/src/index.ts';
import type { ApiServer } from '../../../cluster/src/index.ts';
import { runKfctl } from '../cli/run-kfctl.ts';
import { matchesHash } from '../credentials/password.ts';
import { Secret } from '@kfctl/core';

const CONFIG = `# mine
issuer: http://dex.example.org/dex
storage: { type: memory }
web:
  http: 127.0.0.1:5556
enablePasswordDB: true
staticPasswords:
# the first
- email: admin@kubeflow.org
  hashFromEnv: DEX_USER_PASSWORD_HASH
  username: admin
  userID: "1"
`;
const home = mkdtempSync(path.join(tmpdir(), 'kfctl-users-'));
let server: ApiServer;
let client: KubeClient;

before(async () => {
  const options = {
    dataDirectory: path.join(home, 'cluster'),
    host: '127.0.0.1',
    port: 0,
    serviceCidr: '10.96.0.0/16',
  };
  server = await startApiServer({ ...options, log: silentLogger, volatile: true });
  client = server.createClient('test');
  await client.create(resources.namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'kubeflow' } });
});
after(async () => {
  await server.close();
  rmSync(home, { recursive: true, force: true });
});

async function kfctl(argv: string[], typed?: string): Promise<{ code: number; text: string }> {
  let text = '';
  const write = (part: string): string => (text += part);
  const code = await runKfctl({
    argv,
    env: { HOME: home, KUBECONFIG: server.kubeconfigFile },
    directory: home,
    stdout: { write },
    stderr: { write },
    signal: new AbortController().signal,
    ...(typed === undefined ? {} : { stdin: Readable.from([typed]) }),
  });
  return { code, text };
}

const config = async (): Promise<string> =>
  (await client.get(resources.configMaps, 'dex', { namespace: 'kubeflow' }))?.data?.['config.yaml'] ?? '';

test('without the platform it is said where to begin', async () => {
  const { code, text } = await kfctl(['users', 'list']);
  assert.equal(code, 1);
  assert.match(text, /no ConfigMap kubeflow\/dex.*\nhint: Install the platform first/);
});

test('a user is added with a hash of the piped password, and comments stay', async () => {
  await client.create(resources.configMaps, {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'dex', namespace: 'kubeflow' },
    data: { 'config.yaml': CONFIG },
  });
  const { code, text } = await kfctl(
    ['users', 'add', 'ada@example.org', '--password-stdin', '--groups', 'ml, x'],
    'pass\n',
  );
  assert.equal(code, 0, text);
  assert.match(text, /Added ada@example\.org\.\nDex reloads by itself/);
  const after = await config();
  assert.ok(after.startsWith(CONFIG), after);
  const hash = /hash: "?(\$2\w\$12\$[^"\n]+)/.exec(after)?.[1] ?? '';
  assert.ok(await matchesHash(new Secret('pass'), hash));
  assert.match((await kfctl(['users', 'list'])).text, /ada@example\.org {2}groups: ml, x\n/);
  assert.ok(!(await kfctl(['users', 'list', '-o', 'json'])).text.includes('$2'));
});

test('nobody is added twice, and the installing user stays', async () => {
  assert.match((await kfctl(['users', 'add', 'ADA@example.org'])).text, /already a user/);
  assert.match((await kfctl(['users', 'remove', 'admin@kubeflow.org'])).text, /the installing user.*\nhint: .*rotate/);
  assert.match((await kfctl(['users', 'remove', 'no@example.org'])).text, /is no user/);
});

test('a removed user leaves the file as it was', async () => {
  assert.equal((await kfctl(['users', 'remove', 'ada@example.org'])).code, 0);
  assert.equal(await config(), CONFIG);
});

test('a generated password is shown', async () => {
  assert.match((await kfctl(['users', 'add', 'bob@example.org'])).text, /Password: \w{20} /);
});

test('a file is checked by the identity program, with its mistakes and exit code', async () => {
  writeFileSync(path.join(home, 'bad.yaml'), 'issuer: nothing\n');
  const { code, text } = await kfctl(['dex', 'check', 'bad.yaml']);
  assert.equal(code, 1);
  assert.match(text, /mistakes? in .*bad\.yaml/);
});

test('the configuration of the cluster is checked with the values of its Secrets', async () => {
  assert.match((await kfctl(['ldap', 'check'])).text, /DEX_USER_PASSWORD_HASH, which is not set/);
});

test('a password is never guessed: without a terminal it is asked for by name', async () => {
  assert.match((await kfctl(['dex', 'check', 'bad.yaml', '--user', 'ada'])).text, /hint: Set IDENTITY_PASSWORD/);
});

test('connectors of the file and of the API are listed by id, without their settings', async () => {
  const before = await config();
  const listed = await kfctl(['dex', 'connectors', 'list']);
  assert.equal(listed.code, 0, listed.text);
  assert.match(listed.text, /^ID +TYPE +NAME +FROM\nlocal +local +Email +configuration file\n$/);
  const definition = {
    group: 'dex.coreos.com',
    names: { kind: 'Connector', plural: 'connectors' },
    scope: 'Namespaced',
  };
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  await client.create(
    defineResource('apiextensions.k8s.io/v1', 'CustomResourceDefinition', {
      plural: 'customresourcedefinitions',
      namespaced: false,
    }),
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: 'connectors.dex.coreos.com' },
      spec: { ...definition, versions: [{ name: 'v1', served: true, storage: true, schema }] },
    },
  );
  const config64 = Buffer.from('{"clientSecret":"do-not-show"}').toString('base64');
  for (const id of ['github', 'local', 'odd']) {
    const name = id === 'odd' ? 'red \u001B[31m\nname' : 'GitHub';
    const fields = { id, type: 'github', name, config: config64 };
    const object = {
      apiVersion: 'dex.coreos.com/v1',
      kind: 'Connector',
      metadata: { name: id, namespace: 'kubeflow' },
      ...fields,
    };
    // The kind is served a moment after its definition is there.
    for (let made = false; !made;)
      made = await client
        .create(defineResource('dex.coreos.com/v1', 'Connector', { plural: 'connectors' }), object)
        .then(
          () => true,
          () => delay(20).then(() => false),
        );
  }
  const { text } = await kfctl(['dex', 'connectors', 'list']);
  assert.match(text, /github +github +GitHub +management API\n/);
  assert.match(text, /local +github +GitHub +management API \(the file’s is in use\)\n/);
  assert.match(text, /^odd +github +red \?\[31m\?name +management API\n/m);
  const json = await kfctl(['dex', 'connectors', 'list', '-o', 'json']);
  assert.ok(!`${text}${json.text}`.includes('do-not-show') && !json.text.includes(config64));
  assert.equal(await config(), before);
});

test('a configuration that is no YAML is told by its line, and nothing of the line is shown', async (t) => {
  const put = async (text: string): Promise<void> => {
    const map = await client.get(resources.configMaps, 'dex', { namespace: 'kubeflow' });
    assert.ok(map);
    await client.replace(resources.configMaps, { ...map, data: { ...map.data, 'config.yaml': text } });
  };
  const before = await config();
  t.after(() => put(before));
  await put('issuer: x\nconnectors:\n- id: a\n  config:\n    bindPW: "do-not-show" more\n');
  const { code, text } = await kfctl(['dex', 'connectors', 'list']);
  assert.equal(code, 1);
  assert.match(text, /line 5 of the configuration of dex/);
  assert.ok(!text.includes('do-not-show'), text);
});
