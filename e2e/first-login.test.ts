/** The whole product as a newcomer meets it: `kfctl up`, then the steps of the guide with curl, kubectl and a browser. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import bcrypt from '@node-rs/bcrypt';
import { launchChromium } from '../packages/testkit/src/chromium.ts';
import { findBlock, readBlocks } from './document.ts';
import { createSession, logIn } from './log-in.ts';
import {
  createHome,
  curl,
  eventually,
  kfctl,
  kubectl,
  kubectlInput,
  PASSWORD,
  shell,
  startPlatform,
  USER,
} from './platform.ts';
import type { Home, Platform } from './platform.ts';

const PICTURES = process.env['KFCTL_TEST_PICTURES'];
const SECOND = { email: 'second@kubeflow.org', password: 'other-horse-43214321' };

let home: Home;
let platform: Platform;

before(async () => {
  home = createHome();
  platform = await startPlatform(home.directory);
});
after(async () => {
  await platform.interrupt();
  home.remove();
});

test('the balancer gives the gateway an address', () => {
  const path = '{.status.loadBalancer.ingress[0].ip}';
  const address = kubectl(
    platform,
    'get',
    'svc',
    '-n',
    'istio-system',
    'istio-ingressgateway',
    '-o',
    `jsonpath=${path}`,
  );
  assert.equal(address, platform.address);
});

test('without a session the answer is the documented redirect, over HTTP/2', () => {
  const { stderr } = curl('-v', '-o', '/dev/null', platform.url);
  assert.match(stderr, /< HTTP\/2 302/);
  const location = /< location: (\S+)/.exec(stderr)?.[1] ?? '';
  assert.ok(
    location.startsWith(
      '/dex/auth?client_id=kubeflow-authservice-oidc&redirect_uri=%2Flogin%2Foidc&response_type=code&scope=openid+profile+email+groups&state=',
    ),
    location,
  );
});

test('port 80 only redirects to https', () => {
  const http = new URL(platform.url);
  http.protocol = 'http:';
  http.port = http.port === '8443' ? '8080' : '';
  const { stdout } = curl('-o', '/dev/null', '-w', '%{http_code} %{redirect_url}', `${http.href}x?y=1`);
  assert.match(stdout, /^30[18] https:\/\/.*\/x\?y=1$/);
});

test('a person logs in, sees their workspace, and logging out really ends the session', async (t) => {
  const browser = await launchChromium();
  t.after(() => browser.close());
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  await page.goto(platform.url);
  if (PICTURES !== undefined) await page.screenshot({ path: path.join(PICTURES, 'login.png') });
  await page.locator('input[name=login]').fill(USER);
  await page.locator('input[name=password]').fill('wrong');
  await page.locator('button[type=submit]').click();
  await page.locator('#login-error').waitFor();
  assert.equal(await page.locator('input[name=login]').inputValue(), USER);
  await page.locator('input[name=password]').fill(PASSWORD);
  await page.locator('button[type=submit]').click();
  await page.locator('#user').waitFor();
  assert.equal(await page.locator('#user').textContent(), USER);
  assert.deepEqual(await page.locator('#namespaces .workspace-name').allTextContents(), ['kubeflow-admin']);
  await page.getByText('components are ready').waitFor();
  if (PICTURES !== undefined) await page.screenshot({ path: path.join(PICTURES, 'dashboard.png') });
  const cookies = await context.cookies();
  await page.locator('#logout').click();
  await page.waitForURL('**/dex/auth/**');
  await context.addCookies(cookies);
  await page.goto(platform.url);
  assert.match(page.url(), /\/dex\/auth/, 'the old cookie is worth nothing');
});

test('the profile is real: namespace, service accounts, role bindings', () => {
  assert.equal(kubectl(platform, 'get', 'profile', 'kubeflow-admin', '-o', 'jsonpath={.spec.owner.name}'), USER);
  const names = kubectl(platform, 'get', 'serviceaccounts,rolebindings', '-n', 'kubeflow-admin', '-o', 'name');
  for (const name of [
    'serviceaccount/default-editor',
    'serviceaccount/default-viewer',
    'rolebinding.rbac.authorization.k8s.io/namespaceAdmin',
  ]) {
    assert.ok(names.split('\n').includes(name), name);
  }
  assert.equal(
    kubectl(platform, 'auth', 'can-i', 'create', 'pods', '-n', 'kubeflow-admin', `--as=${USER}`).trim(),
    'yes',
  );
});

test('identity headers of a client never reach the dashboard', (t) => {
  const session = createSession(t, platform);
  for (const header of ['kubeflow-userid', 'Kubeflow-UserID', 'KUBEFLOW_USERID', 'kubeflow_userid']) {
    const { stdout } = curl(
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '-H',
      `${header}: ${USER}`,
      `${platform.url}api/workgroup/env-info`,
    );
    assert.match(stdout, /^(302|401)$/, header);
  }
  assert.equal(logIn(session, USER, PASSWORD).status, 200);
  const answer = session.get(
    '/api/workgroup/env-info',
    '-H',
    'kubeflow-userid: root@x.org',
    '-H',
    'kubeflow_userid: root@x.org',
    '-H',
    'Kubeflow-Userid: eve@x.org',
  );
  assert.equal((JSON.parse(answer.body) as { user: string }).user, USER);
});

test('whoever reaches the dashboard itself is nobody without the proof, whatever header they write', () => {
  const pod = [
    'get',
    'pods',
    '-n',
    'kubeflow',
    '-l',
    'app=centraldashboard',
    '-o',
    'jsonpath={.items[0].status.podIP}',
  ];
  const target = `http://${kubectl(platform, ...pod)}:8082/api/workgroup/env-info`;
  for (const more of [[], ['-H', `kubeflow-assertion: v1.${Math.floor(Date.now() / 1000)}.${'A'.repeat(43)}`]]) {
    const asked = curl('-w', '%{http_code}', '-H', `kubeflow-userid: ${USER}`, ...more, target);
    assert.match(asked.stdout, /401$/);
  }
});

test('access management is not reachable from outside, logged in or not', (t) => {
  const session = createSession(t, platform);
  logIn(session, USER, PASSWORD);
  for (const target of [
    '/kfam/v1/bindings',
    '/kfam/',
    '//kfam/v1/bindings',
    '/x/../kfam/v1/bindings',
    '/%6bfam/v1/bindings',
  ]) {
    const answer = session.get(target, '--path-as-is');
    assert.ok(![200, 201].includes(answer.status) || !answer.body.includes('bindings'), `${target} ${answer.status}`);
  }
});

test('a second user is added to Dex as the guide says, and sees nothing of the first', async (t) => {
  const read = (): string =>
    kubectl(platform, 'get', 'configmap', 'dex', '-n', 'kubeflow', '-o', String.raw`jsonpath={.data.config\.yaml}`);
  const hash = bcrypt.hashSync(SECOND.password, 10);
  const entry = `staticPasswords:\n- email: ${SECOND.email}\n  hash: "${hash}"\n  username: second\n  userID: "2"`;
  const file = path.join(home.directory, 'dex-config.yaml');
  writeFileSync(file, read().replace('staticPasswords:', entry));
  const map = kubectl(
    platform,
    'create',
    'configmap',
    'dex',
    `--from-file=config.yaml=${file}`,
    '-n',
    'kubeflow',
    '--dry-run=client',
    '-o',
    'yaml',
  );
  kubectlInput(platform, map, 'apply', '-f', '-');

  kubectl(platform, 'delete', 'pods', '-n', 'kubeflow', '-l', 'app=dex');
  kubectl(platform, 'rollout', 'status', 'deployment/dex', '-n', 'kubeflow', '--timeout=60s');
  const session = createSession(t, platform);
  await eventually('the second user to log in', () =>
    logIn(session, SECOND.email, SECOND.password).status === 200 ? true : undefined,
  );
  const info = JSON.parse(session.get('/api/workgroup/env-info').body) as { user: string; namespaces: unknown[] };
  assert.equal(info.user, SECOND.email);
  assert.deepEqual(info.namespaces, []);
  assert.equal(session.get('/api/activities/kubeflow-admin').status, 403);
  assert.equal(session.get('/api/workgroup/get-contributors/kubeflow-admin').status, 403);

  kubectl(
    platform,
    'patch',
    'deployment',
    'dex',
    '-n',
    'kubeflow',
    '--type=merge',
    '-p',
    '{"spec":{"template":{"metadata":{"labels":{"restarted":"1"}}}}}',
  );
  kubectl(platform, 'rollout', 'status', 'deployment/dex', '-n', 'kubeflow', '--timeout=60s');
  const again = createSession(t, platform);
  await eventually('the second user to log in again', () =>
    logIn(again, SECOND.email, SECOND.password).status === 200 ? true : undefined,
  );
});

test('the doctor finds nothing wrong', async () => {
  await eventually('the platform to be well', () => {
    const { code, stdout } = kfctl(platform, platform.home, 'doctor', '--kubeconfig', platform.kubeconfig);
    assert.match(stdout, /^Cluster\n/);
    return code === 0 && stdout.endsWith('Nothing is wrong.\n') ? true : undefined;
  });
});

test('the guide’s diagnostic commands show what they should', () => {
  const services = kubectl(platform, 'get', 'virtualservices', '-n', 'kubeflow');
  assert.match(services, /centraldashboard/);
  assert.match(services, /dex/);
  assert.match(
    kubectl(platform, 'get', 'virtualservices', '-n', 'kubeflow', 'centraldashboard', '-o', 'yaml'),
    /gateways:\n\s*- kubeflow-gateway/,
  );
  for (const [namespace, selector] of [
    ['istio-system', 'app=authservice'],
    ['kubeflow', 'app=dex'],
    ['istio-system', 'istio=ingressgateway'],
  ] as const) {
    assert.notEqual(kubectl(platform, 'logs', '-n', namespace, '-l', selector), '', selector);
  }
  assert.match(
    kubectl(platform, 'logs', '-n', 'metallb-system', '-l', 'component=controller', '--tail=-1'),
    /"event":"ipAllocated".*istio-system\/istio-ingressgateway/,
  );
  const pods = kubectl(platform, 'get', 'pods', '-A');
  assert.equal(pods.split('\n').filter((line) => /\s1\/1\s+Running/.test(line)).length, 6);
  assert.match(kubectl(platform, 'describe', 'pods', '-n', 'kubeflow', '-l', 'app=dex'), /Normal\s+Started/);
  assert.match(
    kubectl(platform, 'describe', 'service', '-n', 'istio-system', 'istio-ingressgateway'),
    /IPAllocated.*Assigned IP/,
  );
});

test('a service of one’s own gets an address, events and log lines, and serves, as in the guide', () => {
  const blocks = readBlocks('guides/kubectl-on-the-local-cluster.md');
  const said = shell(platform, findBlock(blocks, /kubectl create service loadbalancer nginx/));
  assert.match(said, /service\/nginx created/);
  assert.match(said, /Normal\s+IPAllocated\s+\S+\s+metallb-controller\s+Assigned IP "127\.[\d.]+"/);
  assert.match(said, /<em>Thank you for using nginx\.<\/em>/);
  assert.match(
    said,
    /\{"caller":"[^"]+","event":"ipAllocated","ip":"[\d.]+","msg":"IP address assigned by controller","service":"default\/nginx","ts":"[^"]+"\}/,
  );
  assert.match(said, /service "nginx" deleted[^]*pod "nginx" deleted/);
});

test('a second up on the same data says who runs already', async () => {
  await assert.rejects(
    startPlatform(home.directory),
    (error) => error instanceof Error && error.message.includes(String(platform.process.pid)),
  );
});
