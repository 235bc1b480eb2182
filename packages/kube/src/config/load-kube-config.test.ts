import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createKubeClient } from '../client/create-kube-client.ts';
import { dumpYaml } from '../yaml/yaml.ts';
import { startScriptedServer } from '../../test/scripted-server.ts';
import { loadKubeConfig } from './load-kube-config.ts';
import { chooseProxy } from './proxy.ts';
import { fileToken } from './token-file.ts';

let directory = '';
before(async () => {
  directory = await mkdtemp(join(tmpdir(), 'kube-config-'));
});
after(() => rm(directory, { recursive: true }));

interface Names {
  readonly name: string;
  readonly server?: string;
  readonly user?: object;
  readonly cluster?: object;
  readonly context?: object;
}

/** Writes a kubeconfig with one context, cluster and user of the same name. */
async function kubeconfig({
  name,
  server = 'https://h:6443',
  user = {},
  cluster = {},
  context = {},
}: Names): Promise<string> {
  const path = join(directory, `${name}.yaml`);
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, ...cluster } }],
    users: [{ name, user }],
    contexts: [{ name, context: { cluster: name, user: name, ...context } }],
  };
  await writeFile(path, dumpYaml(config));
  return path;
}

const authorization = async (path: string, env: Record<string, string> = {}): Promise<string | undefined> => {
  const config = await loadKubeConfig({ env: { ...process.env, ...env }, kubeconfig: path });
  return (await config.credentials.current()).authorization?.reveal();
};

describe('loadKubeConfig', () => {
  it('merges the files of KUBECONFIG, the first to name something winning', async () => {
    const first = await kubeconfig({ name: 'first', context: { namespace: 'team' } });
    const second = await kubeconfig({ name: 'second', server: 'https://other' });
    const env = { KUBECONFIG: `${first}:${join(directory, 'absent')}:${second}` };
    const config = await loadKubeConfig({ env });
    assert.equal(config.server, 'https://h:6443');
    assert.equal(config.namespace, 'team');
    assert.equal((await loadKubeConfig({ env, context: 'second' })).server, 'https://other');
  });

  it('reads ~/.kube/config when nothing else is named', async () => {
    const home = join(directory, 'home');
    await mkdir(join(home, '.kube'), { recursive: true });
    await writeFile(
      join(home, '.kube', 'config'),
      dumpYaml({
        'current-context': 'x',
        clusters: [{ name: 'c', cluster: { server: 'https://home' } }],
        contexts: [{ name: 'x', context: { cluster: 'c' } }],
      }),
    );
    assert.equal((await loadKubeConfig({ env: { HOME: home } })).server, 'https://home');
  });

  it('says what is missing and what there is', async () => {
    const path = await kubeconfig({ name: 'only' });
    await assert.rejects(loadKubeConfig({ env: { HOME: directory } }), {
      code: 'KUBECONFIG_MISSING',
      hint: /KUBECONFIG/,
    });
    await assert.rejects(
      loadKubeConfig({ env: {}, kubeconfig: join(directory, 'absent') }),
      /cannot read the kubeconfig/,
    );
    await assert.rejects(loadKubeConfig({ env: {}, kubeconfig: path, context: 'prod' }), {
      message: /no context named "prod"/,
      hint: 'It has: only.',
    });
    const noUser = await kubeconfig({ name: 'nouser', context: { user: 'ghost' } });
    await assert.rejects(loadKubeConfig({ env: {}, kubeconfig: noUser }), /no user of context "nouser" named "ghost"/);
    const noServer = await kubeconfig({ name: 'noserver', server: '' });
    await assert.rejects(loadKubeConfig({ env: {}, kubeconfig: noServer }), /no usable server address/);
    await writeFile(join(directory, 'broken.yaml'), 'token: hunter2\n  x: [');
    await assert.rejects(
      loadKubeConfig({ env: {}, kubeconfig: join(directory, 'broken.yaml') }),
      (error: Error) => !error.message.includes('hunter2'),
    );
  });

  it('reads certificates inline and from paths beside the file', async () => {
    await writeFile(join(directory, 'client.key'), 'KEY');
    const path = await kubeconfig({
      name: 'certs',
      user: { 'client-certificate-data': Buffer.from('CERT').toString('base64'), 'client-key': 'client.key' },
      cluster: {
        'certificate-authority-data': Buffer.from('CA').toString('base64'),
        'tls-server-name': 'api',
        'insecure-skip-tls-verify': true,
      },
    });
    const { tls } = await loadKubeConfig({ env: {}, kubeconfig: path });
    assert.deepEqual(
      { ...tls, key: tls.key?.reveal() },
      { ca: 'CA', cert: 'CERT', key: 'KEY', serverName: 'api', insecureSkipVerify: true },
    );
  });

  it('knows tokens, token files, basic auth and impersonation', async () => {
    await writeFile(join(directory, 'token'), 'from-file\n');
    assert.equal(await authorization(await kubeconfig({ name: 'token', user: { token: 'abc' } })), 'Bearer abc');
    assert.equal(
      await authorization(await kubeconfig({ name: 'tokenfile', user: { token: 'abc', tokenFile: 'token' } })),
      'Bearer from-file',
    );
    assert.equal(
      await authorization(await kubeconfig({ name: 'basic', user: { username: 'u', password: 'p' } })),
      `Basic ${btoa('u:p')}`,
    );
    const as = await kubeconfig({ name: 'as', user: { as: 'bob', 'as-groups': ['g', 'h'] } });
    assert.deepEqual((await loadKubeConfig({ env: {}, kubeconfig: as })).headers, {
      'impersonate-user': 'bob',
      'impersonate-group': ['g', 'h'],
    });
  });

  it('never shows a secret when printed', async () => {
    const config = await loadKubeConfig({
      env: {},
      kubeconfig: await kubeconfig({ name: 'shown', user: { token: 'hunter2' } }),
    });
    assert.equal(JSON.stringify([config, await config.credentials.current()]).includes('hunter2'), false);
  });

  it('prefers the service account of a pod, and reads a rotated token', async () => {
    const account = join(directory, 'account');
    await mkdir(account);
    for (const [name, text] of Object.entries({ token: 'one', 'ca.crt': 'CA', namespace: 'team\n' }))
      await writeFile(join(account, name), text);
    const path = await kubeconfig({ name: 'outside' });
    const env = {
      KUBERNETES_SERVICE_HOST: 'fd00::1',
      KUBERNETES_SERVICE_PORT: '443',
      KUBERNETES_SERVICEACCOUNT_DIR: account,
      KUBECONFIG: path,
    };
    const config = await loadKubeConfig({ env });
    assert.deepEqual([config.server, config.namespace, config.tls.ca], ['https://[fd00::1]:443', 'team', 'CA']);
    assert.equal((await config.credentials.current()).authorization?.reveal(), 'Bearer one');
    await writeFile(join(account, 'token'), 'two');
    assert.equal(config.credentials.invalidate(), true);
    assert.equal((await config.credentials.current()).authorization?.reveal(), 'Bearer two');
    assert.equal((await loadKubeConfig({ env, inCluster: 'last' })).server, 'https://h:6443');
  });
});

describe('fileToken', () => {
  it('keeps the last token while the file is away', async () => {
    const path = join(directory, 'flaky');
    await writeFile(path, 'one');
    let now = 0;
    const source = fileToken(path, () => now);
    await source.current();
    await rm(path);
    now += 120_000;
    assert.equal((await source.current()).authorization?.reveal(), 'Bearer one');
  });
});

describe('exec plugins', () => {
  const plugin = async (name: string, script: string): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, `#!${process.execPath}\n${script}`);
    await chmod(path, 0o755);
    return `./${name}`;
  };
  const apiVersion = 'client.authentication.k8s.io/v1';

  it('run with their arguments and environment, once until the credential expires', async () => {
    const command = await plugin(
      'plugin',
      `const fs = require('fs'); const count = fs.existsSync(process.env.COUNTER) ? fs.readFileSync(process.env.COUNTER, 'utf8').length : 0;
       fs.writeFileSync(process.env.COUNTER, 'x'.repeat(count + 1));
       const info = JSON.parse(process.env.KUBERNETES_EXEC_INFO);
       console.log(JSON.stringify({ apiVersion: info.apiVersion, kind: 'ExecCredential', status: { token: [process.argv[2], info.spec.cluster.server, count].join(' '), expirationTimestamp: count === 0 ? '2000-01-01T00:00:00Z' : '2999-01-01T00:00:00Z' } }));`,
    );
    const env = [{ name: 'COUNTER', value: join(directory, 'counter') }];
    const path = await kubeconfig({
      name: 'exec',
      user: { exec: { apiVersion, command, args: ['arg'], env, provideClusterInfo: true } },
    });
    const { credentials } = await loadKubeConfig({ env: process.env, kubeconfig: path });
    const tokens = [];
    for (let call = 0; call < 4; call += 1) tokens.push((await credentials.current()).authorization?.reveal());
    assert.deepEqual(tokens, ['Bearer arg https://h:6443 0', ...Array(3).fill('Bearer arg https://h:6443 1')]);
  });

  it('hand out client certificates', async () => {
    const answer = { apiVersion, kind: 'ExecCredential', status: { clientCertificateData: 'C', clientKeyData: 'K' } };
    const command = await plugin('certs', `console.log(${JSON.stringify(JSON.stringify(answer))})`);
    const { credentials } = await loadKubeConfig({
      env: process.env,
      kubeconfig: await kubeconfig({ name: 'execcert', user: { exec: { apiVersion, command } } }),
    });
    const { certificate } = await credentials.current();
    assert.deepEqual([certificate?.cert, certificate?.key.reveal()], ['C', 'K']);
  });

  it('that are not installed say how to install them', async () => {
    const path = await kubeconfig({
      name: 'noplugin',
      user: { exec: { apiVersion, command: 'no-such-plugin-here', installHint: 'brew install it' } },
    });
    await assert.rejects(authorization(path), {
      code: 'KUBE_EXEC_PLUGIN',
      message: /not installed/,
      hint: 'brew install it',
    });
  });

  it('that fail or answer nonsense are refused without their command line', async () => {
    const failing = await plugin('failing', `console.error('log in first'); process.exit(1)`);
    const path = await kubeconfig({
      name: 'failing-user',
      user: { exec: { apiVersion, command: failing, args: ['--secret=hunter2'] } },
    });
    await assert.rejects(
      authorization(path),
      (error: Error & { hint?: string }) => error.hint === 'log in first' && !error.message.includes('hunter2'),
    );
    const nonsense = await plugin('nonsense', `console.log('{}')`);
    await assert.rejects(
      authorization(await kubeconfig({ name: 'nonsense-user', user: { exec: { apiVersion, command: nonsense } } })),
      /gave no .* credential/,
    );
    const old = await kubeconfig({
      name: 'old',
      user: { exec: { apiVersion: 'client.authentication.k8s.io/v1alpha1', command: 'x' } },
    });
    await assert.rejects(authorization(old), { code: 'KUBECONFIG_INVALID', message: /v1alpha1/ });
  });
});

describe('the oidc auth-provider', () => {
  const token = (expiresAt: number): string =>
    `h.${Buffer.from(JSON.stringify({ exp: expiresAt })).toString('base64url')}.s`;
  const provider = (config: object): object => ({ 'auth-provider': { name: 'oidc', config } });

  it('sends an unexpired id token', async () => {
    const fresh = token(Date.now() / 1000 + 600);
    assert.equal(
      await authorization(await kubeconfig({ name: 'oidc', user: provider({ 'id-token': fresh }) })),
      `Bearer ${fresh}`,
    );
  });

  it('says so when an expired one cannot be refreshed', async () => {
    const path = await kubeconfig({ name: 'oidcold', user: provider({ 'id-token': token(1) }) });
    await assert.rejects(authorization(path), { code: 'KUBE_OIDC_EXPIRED' });
  });

  it('never sends a refresh token in the clear', async () => {
    const config = {
      'id-token': token(1),
      'refresh-token': 'r',
      'client-id': 'c',
      'idp-issuer-url': 'http://127.0.0.1:1',
    };
    await assert.rejects(
      authorization(await kubeconfig({ name: 'oidcclear', user: provider(config) })),
      /over https only/,
    );
  });

  it('is the only one that still exists', async () => {
    const path = await kubeconfig({ name: 'gcp', user: { 'auth-provider': { name: 'gcp' } } });
    await assert.rejects(authorization(path), { message: /"gcp" was removed/ });
  });
});

describe('proxies', () => {
  it('come from proxy-url, or from HTTPS_PROXY unless NO_PROXY names the server', () => {
    const env = (noProxy: string): Record<string, string> => ({ HTTPS_PROXY: 'http://proxy:3128', NO_PROXY: noProxy });
    const proxied = 'http://proxy:3128/';
    assert.equal(chooseProxy('https://api.corp:6443', 'http://own:1', env('*')), 'http://own:1/');
    assert.equal(chooseProxy('https://api.corp:6443', undefined, env('')), proxied);
    for (const exempt of ['*', 'corp', '.corp', '*.corp', 'api.corp', 'API.CORP:6443', 'x, api.corp']) {
      assert.equal(chooseProxy('https://api.corp:6443', undefined, env(exempt)), undefined, exempt);
    }
    for (const other of ['other', 'pi.corp', 'api.corp:443', '10.0.0.0/8']) {
      assert.equal(chooseProxy('https://api.corp:6443', undefined, env(other)), proxied, other);
    }
    assert.equal(chooseProxy('https://10.1.2.3', undefined, env('10.0.0.0/8')), undefined);
    assert.equal(chooseProxy('https://11.1.2.3', undefined, env('10.0.0.0/8,2.3')), proxied);
    assert.equal(chooseProxy('https://[fd00::1]:6443', undefined, env('fd00::/8')), undefined);
    assert.equal(chooseProxy('https://127.0.0.1:6443', undefined, env('')), undefined);
    assert.throws(() => chooseProxy('https://a', 'socks5://x', {}), { code: 'KUBECONFIG_INVALID' });
  });

  it('are asked to connect on our behalf', async (t) => {
    const server = await startScriptedServer(() => ({ kind: 'Namespace', metadata: { name: 'n' } }));
    const asked: string[] = [];
    const sockets: Socket[] = [];
    const proxy = createServer((request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response
        .writeHead(200, { 'content-type': 'application/json' })
        .end('{"kind":"Namespace","metadata":{"name":"n"}}');
    });
    proxy.on('connect', (request, socket: Socket, head) => {
      asked.push(`CONNECT ${request.url}`);
      const upstream = connect(Number(new URL(server.url).port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        upstream.write(head);
        upstream.pipe(socket).pipe(upstream);
      });
      sockets.push(socket, upstream);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const client = createKubeClient({
      ...server.config,
      server: 'https://api.invalid:6443',
      proxyUrl: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`,
    });
    t.after(async () => {
      client.close();
      for (const socket of sockets) socket.destroy();
      proxy.close();
      proxy.closeAllConnections();
      await server.close();
    });
    // The tunnel ends at a server without TLS: that it was asked for is what matters here.
    await assert.rejects(client.request({ method: 'GET', path: '/version' }), { code: 'KUBE_UNREACHABLE' });
    assert.deepEqual(asked, ['CONNECT api.invalid:6443']);
  });
});
