/** The guide's commands one by one on a cluster of one's own: init, generate, apply, apply again, delete. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { createHome, curl, eventually, kfctl, kubectl, USER } from './platform.ts';
import type { Home } from './platform.ts';

const CLUSTER = path.join(import.meta.dirname, '..', 'packages', 'cluster', 'src', 'main.ts');
const KINDS =
  'namespaces,customresourcedefinitions,clusterroles,clusterrolebindings,configmaps,secrets,services,deployments,serviceaccounts,roles,rolebindings';

let home: Home;
let cluster: ChildProcess;
let place: { home: string; kubeconfig: string };
let app: string;
let range: string;

before(async () => {
  home = createHome();
  const dataDirectory = path.join(home.directory, 'cluster');
  cluster = spawn(process.execPath, [CLUSTER, '--data-dir', dataDirectory], { stdio: 'ignore' });
  place = { home: home.directory, kubeconfig: path.join(dataDirectory, 'kubeconfig') };
  const facts = await eventually('the cluster to be ready', () => {
    const file = path.join(dataDirectory, 'cluster.json');
    return existsSync(file)
      ? (JSON.parse(readFileSync(file, 'utf8')) as { addresses: { loadBalancerRange: string } })
      : undefined;
  });
  range = facts.addresses.loadBalancerRange;
  app = path.join(home.directory, 'my-kubeflow');
});
after(async () => {
  const ended = new Promise((resolve) => cluster.once('exit', resolve));
  cluster.kill('SIGTERM');
  await ended;
  home.remove();
});

function inventory(): string[] {
  return kubectl(
    place,
    'get',
    KINDS,
    '-A',
    '-o',
    'jsonpath={range .items[*]}{.kind}/{.metadata.namespace}/{.metadata.name}{"\\n"}{end}',
  )
    .split('\n')
    .filter((line) => line !== '' && !line.includes('kube-root-ca.crt'))
    .toSorted();
}

test('init, generate and apply install the platform; a second apply changes nothing; delete leaves no trace', async () => {
  kubectl(place, 'create', 'configmap', 'mine', '--from-literal=a=b');
  const empty = inventory();

  assert.equal(
    kfctl(place, home.directory, 'init', 'my-kubeflow', '--config=kfctl_existing_arrikto.yaml', '-V').code,
    0,
  );
  const definition = readFileSync(path.join(app, 'app.yaml'), 'utf8');
  assert.match(definition, /kind: KfDef/);
  assert.doesNotMatch(definition, /correct-horse/, 'no password in the file');
  // The preset leaves the balancer out; this cluster has none, so the commented block is taken in, as the guide says.
  const metallb = `  - name: metallb\n    kustomizeConfig:\n      repoRef:\n        name: manifests\n        path: metallb\n      parameters:\n      - name: addresses\n        value: ${range}\n`;
  writeFileSync(path.join(app, 'app.yaml'), definition.replace('  - name: istio\n', `${metallb}  - name: istio\n`));

  assert.equal(kfctl(place, app, 'generate', 'all', '-V').code, 0);
  assert.ok(readdirSync(path.join(app, 'kustomize')).includes('dex'));

  const first = kfctl(place, app, 'apply', 'all', '-V');
  assert.equal(first.code, 0, first.stderr);
  const address = kubectl(
    place,
    'get',
    'svc',
    '-n',
    'istio-system',
    'istio-ingressgateway',
    '-o',
    'jsonpath={.status.loadBalancer.ingress[0].ip}',
  );
  const { stdout } = curl('-L', '-o', '/dev/null', '-w', '%{http_code} %{url_effective}', `https://${address}/`);
  assert.match(stdout, /^200 .*\/dex\/auth\/local\/login/);
  assert.equal(kubectl(place, 'get', 'profile', 'kubeflow-admin', '-o', 'jsonpath={.spec.owner.name}'), USER);

  const before = kubectl(
    place,
    'get',
    KINDS,
    '-A',
    '-o',
    'jsonpath={range .items[*]}{.metadata.uid} {.metadata.generation}{"\\n"}{end}',
  );
  const second = kfctl(place, app, 'apply', 'all', '-V');
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stdout + second.stderr, /nothing changed|unchanged|no changes/i);
  assert.equal(
    kubectl(
      place,
      'get',
      KINDS,
      '-A',
      '-o',
      'jsonpath={range .items[*]}{.metadata.uid} {.metadata.generation}{"\\n"}{end}',
    ),
    before,
  );

  const platform = kfctl(place, app, 'delete', 'platform');
  assert.equal(platform.code, 0, platform.stderr);
  assert.match(platform.stdout, /Left: Namespace kubeflow: \d+ objects of applications that stay are in it/);
  assert.equal(
    kubectl(place, 'get', 'deployments', '-A', '-o', 'jsonpath={.items[*].metadata.name}'),
    'centraldashboard profiles-deployment',
    'what is no platform stays',
  );
  const again = kfctl(place, app, 'apply', 'all');
  assert.equal(again.code, 0, again.stderr);
  const upper = kfctl(place, app, 'delete', 'k8s');
  assert.equal(upper.code, 0, upper.stderr);
  assert.equal(kubectl(place, 'get', 'deployments', '-n', 'kubeflow', '-o', 'name'), 'deployment.apps/dex\n');

  const removed = kfctl(place, app, 'delete', 'all');
  assert.equal(removed.code, 0, removed.stderr);
  await eventually('what apply made to be gone', () => {
    assert.deepEqual(inventory(), empty);
    return true;
  });
});

test('mistakes are refused with a clear word, exit code 1 and nothing half-done', () => {
  const refuse = (args: readonly string[], pattern: RegExp, cwd = home.directory): void => {
    const before = readdirSync(home.directory).toSorted();
    const { code, stderr } = kfctl(place, cwd, ...args);
    assert.equal(code, 1, args.join(' '));
    assert.match(stderr, pattern, args.join(' '));
    assert.doesNotMatch(stderr, /Usage:|\n\s+at /, 'no usage dump, no stack');
    assert.deepEqual(readdirSync(home.directory).toSorted(), before, `${args.join(' ')} left something behind`);
  };
  const config = '--config=kfctl_existing_arrikto.yaml';
  refuse(['init', 'a/b', config], /a\/b/);
  refuse(['init', 'Upper', config], /lower/i);
  refuse(['init', 'a'.repeat(26), config], /25/);
  refuse(['init', 'my-kubeflow', config], /exists/);
  refuse(['apply', 'all'], /app\.yaml/);
  refuse(['init', 'new', '--config=/nonexistent.yaml'], /nonexistent/);
  const broken = path.join(home.directory, 'broken');
  mkdirSync(broken);
  const file = (name: string, text: string): string => {
    writeFileSync(path.join(broken, name), text);
    return `--config=${path.join(broken, name)}`;
  };
  refuse(['init', 'new', file('a.yaml', 'a: [')], /a\.yaml:1/);
  refuse(['init', 'new', file('b.yaml', 'apiVersion: v1\nkind: ConfigMap\n')], /KfDef/);
  const head = 'apiVersion: kfdef.apps.kubeflow.org/v1\nkind: KfDef\nmetadata:\n  name: x\nspec:\n  applications:\n';
  const application = (name: string, more = ''): string =>
    `  - name: ${name}\n    kustomizeConfig:\n${more}      repoRef:\n        name: manifests\n        path: ${name}\n`;
  refuse(['init', 'new', file('c.yaml', head + application('nosuchapp'))], /nosuchapp/);
  refuse(
    ['init', 'new', file('d.yaml', head + application('dex', '      overlays: [nosuchoverlay]\n'))],
    /nosuchoverlay/,
  );
});
