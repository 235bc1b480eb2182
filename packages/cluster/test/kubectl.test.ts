import assert from 'node:assert/strict';
import { test } from 'node:test';
import { kubectl, runServer } from './running-server.ts';

const DEPLOYMENT = JSON.stringify({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'web' },
  spec: {
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: { labels: { app: 'web' } },
      spec: { containers: [{ name: 'c', image: 'nginx', ports: [{ containerPort: 80 }] }] },
    },
  },
});

test('stock kubectl works', async (t) => {
  const server = await runServer(t);
  const run = (...args: string[]) => kubectl(server, args);
  const feed = (input: string, ...args: string[]) => kubectl(server, args, input);

  await t.test('create commands, which send protobuf', async () => {
    assert.equal((await run('create', 'namespace', 'team')).stdout, 'namespace/team created\n');
    assert.equal(
      (await run('create', 'configmap', 'c', '-n', 'team', '--from-literal=a=1')).stdout,
      'configmap/c created\n',
    );
    assert.equal((await run('get', 'configmap', 'c', '-n', 'team', '-o', 'jsonpath={.data.a}')).stdout, '1');
    const created = await run('create', 'deployment', 'd', '-n', 'team', '--image=nginx', '--replicas=0', '--port=80');
    assert.equal(created.stdout, 'deployment.apps/d created\n');
    const spec =
      '{.spec.replicas} {.spec.template.spec.containers[0].ports[0].containerPort} {.spec.selector.matchLabels.app}';
    assert.equal((await run('get', 'deployment', 'd', '-n', 'team', '-o', `jsonpath=${spec}`)).stdout, '0 80 d');
    assert.equal((await run('auth', 'can-i', 'delete', 'nodes')).stdout, 'yes\n');
  });

  await t.test('client-side and server-side apply, diff', async () => {
    assert.match((await feed(DEPLOYMENT, 'apply', '-f', '-')).stdout, /created/);
    assert.match((await feed(DEPLOYMENT, 'apply', '-f', '-')).stdout, /unchanged/);
    assert.equal((await feed(DEPLOYMENT, 'diff', '-f', '-')).code, 0);
    const changed = DEPLOYMENT.replace('"nginx"', '"nginx:2"');
    assert.match((await feed(changed, 'diff', '-f', '-')).stdout, /\+ +- image: nginx:2/);
    assert.match((await feed(changed, 'apply', '-f', '-')).stdout, /configured/);
    const conflicting = await feed(DEPLOYMENT, 'apply', '--server-side', '--field-manager=me', '-f', '-');
    assert.match(
      conflicting.stderr,
      /conflict with "kubectl-client-side-apply" using apps\/v1: \.spec\.template\.spec\.containers\[name="c"\]\.image/,
    );
    assert.match(
      (await feed(changed, 'apply', '--server-side', '-f', '-', '--dry-run=server')).stdout,
      /server dry run/,
    );
  });

  await t.test('tables, explain and messages', async () => {
    assert.match(
      (await run('get', 'deployments')).stdout,
      /^NAME +READY +UP-TO-DATE +AVAILABLE +AGE\nweb +0\/1 +0 +0 +\d+s\n$/,
    );
    assert.match(
      (await run('get', 'deployments', '-o', 'wide')).stdout,
      /CONTAINERS +IMAGES +SELECTOR\n.*c +nginx:2 +app=web/s,
    );
    assert.match((await run('get', 'namespaces')).stdout, /^NAME +STATUS +AGE\ndefault +Active/);
    assert.match((await run('explain', 'deployment.spec.strategy')).stdout, /rollingUpdate\t<RollingUpdateDeployment>/);
    assert.match((await run('get', 'pods', 'none')).stderr, /Error from server \(NotFound\): pods "none" not found/);
    const unknown = await feed('{"apiVersion":"x.y/v1","kind":"Foo","metadata":{"name":"f"}}', 'apply', '-f', '-');
    assert.match(unknown.stderr, /no matches for kind "Foo" in version "x.y\/v1"/);
    const typo = await feed(DEPLOYMENT.replace('"image"', '"imagee"'), 'apply', '-f', '-');
    assert.match(typo.stderr, /strict decoding error: unknown field "spec\.template\.spec\.containers\[0\]\.imagee"/);
  });

  await t.test('scale, patch, label, delete', async () => {
    assert.equal((await run('scale', 'deployment/web', '--replicas=3')).stdout, 'deployment.apps/web scaled\n');
    assert.equal((await run('label', 'deployment/web', 'a=b')).stdout, 'deployment.apps/web labeled\n');
    const added = await run(
      'patch',
      'deployment',
      'web',
      '-p',
      '{"spec":{"template":{"spec":{"containers":[{"name":"d","image":"x"}]}}}}',
    );
    assert.equal(added.stdout, 'deployment.apps/web patched\n');
    const shown = '{.spec.replicas} {.metadata.labels.a} {.spec.template.spec.containers[*].name}';
    assert.equal((await run('get', 'deployment', 'web', '-o', `jsonpath=${shown}`)).stdout, '3 b c d');
    assert.match((await run('delete', 'deployment', 'web')).stdout, /^deployment\.apps "web" deleted/);
  });
});
