/** Tokens of service accounts against a real API server, asked with the rights that the manifests give. */
import assert from 'node:assert/strict';
import { copyFile } from 'node:fs/promises';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { kubectl, runServer } from '../../cluster/test/running-server.ts';
import { send, startService, untilReady } from './harness.ts';
import type { RawResponse } from './harness.ts';
import { startHostileProvider } from './hostile-provider.ts';

const RBAC = path.join(import.meta.dirname, '../../manifests/oidc-authservice/base/rbac.yaml');
const AUDIENCE = 'istio-ingressgateway.istio-system.svc.cluster.local';

interface Cluster {
  /** Of the AuthService's own service account. */
  readonly kubeconfigFile: string;
  tokenOf(account: string, audience: string): Promise<string>;
  run(...args: string[]): Promise<string>;
  close(): Promise<void>;
}

async function startCluster(t: TestContext): Promise<Cluster> {
  const server = await runServer(t);
  const run = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await kubectl(server, args);
    assert.ok(code === 0 || stderr.includes('already exists'), stderr);
    return stdout.trim();
  };
  const tokenOf = (account: string, audience: string): Promise<string> => {
    const [namespace = '', name = ''] = account.split('/');
    return run('create', 'token', name, '-n', namespace, `--audience=${audience}`);
  };
  await run('create', 'namespace', 'istio-system');
  await run('apply', '-n', 'istio-system', '-f', RBAC);
  await run('create', 'serviceaccount', 'bot', '-n', 'default');
  const kubeconfigFile = path.join(path.dirname(server.kubeconfigFile), 'authservice.kubeconfig');
  await copyFile(server.kubeconfigFile, kubeconfigFile);
  const own = await run('create', 'token', 'authservice', '-n', 'istio-system');
  await kubectl({ kubeconfigFile }, ['config', 'set-credentials', 'authservice', `--token=${own}`]);
  await kubectl({ kubeconfigFile }, ['config', 'set-context', '--current', '--user=authservice']);
  return { kubeconfigFile, tokenOf, run, close: () => server.close() };
}

test('a service account comes in by a token for the gateway, and by no other', async (t) => {
  const [provider, cluster] = [await startHostileProvider(t), await startCluster(t)];
  const service = await startService(t, {
    OIDC_PROVIDER: provider.issuer,
    KUBERNETES_AUTHN_ENABLED: 'true',
    KUBECONFIG: cluster.kubeconfigFile,
    CACHE_ENABLED: 'false',
  });
  await untilReady(service);
  const use = (token: string): Promise<RawResponse> =>
    send({ port: service.port, path: '/pipeline/', headers: { authorization: `Bearer ${token}` } });
  const token = await cluster.tokenOf('default/bot', AUDIENCE);
  const { status, headers } = await use(token);
  assert.equal(status, 200);
  assert.equal(headers['kubeflow-userid'], 'system:serviceaccount:default:bot');
  assert.match(String(headers['kubeflow-groups']), /(^|,)system:serviceaccounts:default(,|$)/);
  assert.match(String(headers['x-envoy-auth-headers-to-remove']), /(^|,)authorization(,|$)/);
  assert.equal((await use(await cluster.tokenOf('default/bot', 'vault'))).status, 401);
  const [head = '', body = '', signature = ''] = token.split('.');
  const forged = `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`;
  assert.equal((await use(forged)).status, 401);
  await cluster.run('delete', 'serviceaccount', 'bot', '-n', 'default');
  assert.equal((await use(token)).status, 401);
  await cluster.close();
  assert.equal((await use(token)).status, 503);
});
