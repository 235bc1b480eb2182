/** The platform on a machine that has 127.0.0.1 alone and no mount namespaces, as macOS: the steps of the guide, with and without root's rights. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import type { TestContext } from 'node:test';
import { createSession, logIn } from './log-in.ts';
import type { Session } from './log-in.ts';
import { createLoneLoopback } from './lone-loopback.ts';
import type { LoneLoopback } from './lone-loopback.ts';
import {
  createHome,
  curlIn,
  eventually,
  kubectl,
  PASSWORD,
  runIn,
  startPlatform,
  tryKubectl,
  USER,
} from './platform.ts';
import type { Home, Platform, World } from './platform.ts';

const created = await createLoneLoopback();
const skip = 'missing' in created ? created.missing : false;
const network = created as LoneLoopback;
after(async () => {
  if (skip === false) await network.close();
});

function userOf(session: Session): string | undefined {
  const { status, body } = session.get('/api/workgroup/env-info', '-H', 'accept: application/json');
  return status === 200 ? (JSON.parse(body) as { user: string }).user : undefined;
}

async function started(t: TestContext, world: World): Promise<{ platform: Platform; home: Home }> {
  const home = createHome();
  const platform = await startPlatform(home.directory, world);
  t.after(async () => {
    await platform.interrupt();
    home.remove();
  });
  return { platform, home };
}

test('there is no second loopback address, and no mount namespace', { skip }, () => {
  const bind = `require('node:net').createServer().on('error', (error) => console.log(error.code)).listen(0, '127.0.0.2')`;
  assert.equal(runIn(network, [process.execPath, '-e', bind]).stdout, 'EADDRNOTAVAIL\n');
  assert.notEqual(runIn(network, ['unshare', '--mount', 'true']).code, 0);
});

test('without rights: ports above 1024, said in the address; login, kubectl, a second start', { skip }, async (t) => {
  const { platform, home } = await started(t, network.unprivileged);
  assert.equal(platform.url, 'https://127.0.0.1:8443/');
  const plain = curlIn(network, '-o', '/dev/null', '-w', '%{http_code} %{redirect_url}', 'http://127.0.0.1:8080/x');
  assert.match(plain.stdout, /^30[18] https:\/\/127\.0\.0\.1:8443\/x$/);
  const session = createSession(t, platform);
  assert.equal(logIn(session, USER, PASSWORD).status, 200);
  assert.equal(userOf(session), USER);
  assert.match(kubectl(platform, 'get', 'nodes', '-o', 'wide'), /process:\/\/none/);
  assert.equal(kubectl(platform, 'get', 'pods', '-A').match(/1\/1 +Running/g)?.length, 6);
  assert.match(kubectl(platform, 'logs', '-n', 'kubeflow', '-l', 'app=dex'), /serving issuer=/);
  const look = "fetch('http://centraldashboard.kubeflow.svc/healthz').then((answer) => console.log(answer.status))";
  const inside = kubectl(platform, 'exec', '-n', 'kubeflow', 'deploy/dex', '--', 'node', '-e', look);
  assert.match(inside, /^\d{3}\n$/);
  await platform.interrupt();
  const again = await startPlatform(home.directory, network.unprivileged);
  t.after(() => again.interrupt());
  assert.equal(await eventually('the session to work again', () => userOf(session)), USER);
});

test('as root: ports 443 and 80; kill -9 of a pod and of the cluster', { skip }, async (t) => {
  const { platform } = await started(t, network);
  assert.equal(platform.url, 'https://127.0.0.1/');
  assert.equal(
    kubectl(
      platform,
      'get',
      'svc',
      '-n',
      'istio-system',
      'istio-ingressgateway',
      '-o',
      'jsonpath={.status.loadBalancer.ingress[0].ip}',
    ),
    '127.0.0.1',
  );
  const session = createSession(t, platform);
  assert.equal(logIn(session, USER, PASSWORD).status, 200);
  const container = kubectl(
    platform,
    'get',
    'pods',
    '-n',
    'istio-system',
    '-l',
    'app=authservice',
    '-o',
    'jsonpath={.items[0].status.containerStatuses[0].containerID}',
  );
  process.kill(Number(container.replace('process://', '')), 'SIGKILL');
  assert.equal(await eventually('the AuthService to be back', () => userOf(session)), USER);
  const facts = JSON.parse(readFileSync(path.join(platform.dataDirectory, 'cluster.json'), 'utf8')) as { pid: number };
  process.kill(facts.pid, 'SIGKILL');
  assert.equal(await eventually('the cluster to be back', () => userOf(session)), USER);
  assert.match(kubectl(platform, 'get', 'pods', '-n', 'istio-system'), /1\/1 +Running/);
});

test('ports that somebody has are named, and nothing is left running', { skip }, async (t) => {
  const home = createHome();
  t.after(() => home.remove());
  const [command = '', ...enter] = network.enter;
  const hold = `let held = 0;
    for (const port of [443, 8443]) require('node:net').createServer().listen(port, '127.0.0.1', () => ++held === 2 && console.log('held'))`;
  const holder = spawn(command, [...enter, process.execPath, '-e', hold], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => holder.kill('SIGKILL'));
  await once(holder.stdout, 'data');
  const refusal = await startPlatform(home.directory, network).then(
    async (platform) => `it started: ${await platform.interrupt()}`,
    (error: unknown) => String(error),
  );
  assert.match(refusal, /ended with 1/);
  assert.match(refusal, /the gateway has no port on this machine: .*EADDRINUSE.*127\.0\.0\.1:8443/);
  assert.match(refusal, /Stop the program that uses the port/);
});

test('a second load balancer waits for an address, and says why', { skip }, async (t) => {
  const { platform } = await started(t, network);
  kubectl(platform, 'create', 'service', 'loadbalancer', 'other', '--tcp=8081:8081');
  const event = await eventually('the event', () => {
    const { stdout } = tryKubectl(
      platform,
      'get',
      'events',
      '--field-selector',
      'involvedObject.name=other',
      '-o',
      'jsonpath={.items[*].message}',
    );
    return /no available IPs/.test(stdout) ? stdout : undefined;
  });
  assert.match(event, /no available IPs/);
});
