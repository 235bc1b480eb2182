/** What people and machines do to a running platform: kill -9, Ctrl-C, starting again. Nobody is let in, nothing is lost. */
import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import type { TestContext } from 'node:test';
import { createSession, logIn } from './log-in.ts';
import type { Session } from './log-in.ts';
import { createHome, curl, eventually, kubectl, PASSWORD, startPlatform, USER } from './platform.ts';
import type { Home, Platform } from './platform.ts';

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

/** Processes of this platform, by what their command line and working files say. */
function processes(): { pid: number; command: string }[] {
  return globSync('/proc/[0-9]*')
    .map((directory) => ({
      pid: Number(directory.slice(6)),
      command: read(`${directory}/cmdline`),
      environment: read(`${directory}/environ`),
    }))
    .filter(({ command, environment }) => command.includes(home.directory) || environment.includes(home.directory))
    .filter(({ pid, command }) => pid !== process.pid && /packages\/[a-z-]+\/src\//.test(command));
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

/** The process of a pod: the cluster runs it in the pod's sandbox, so it is found below the cluster's process. */
function processOf(program: string): number {
  const cluster = processes().find(({ command }) => command.includes('packages/cluster/src/main.ts'));
  assert.ok(cluster, 'the cluster runs');
  const parents = new Map(
    globSync('/proc/[0-9]*').map((directory) => {
      const stat = read(`${directory}/stat`);
      return [Number(directory.slice(6)), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])];
    }),
  );
  const isBelow = (pid: number): boolean => pid === cluster.pid || (pid > 1 && isBelow(parents.get(pid) ?? 0));
  const found = [...parents.keys()].find(
    (pid) => read(`/proc/${pid}/cmdline`).includes(`packages/${program}/src/main.ts`) && isBelow(pid),
  );
  assert.ok(found, `${program} runs`);
  return found;
}

function isServed(session: Session): true | undefined {
  const { status, body } = session.get('/api/workgroup/env-info', '-H', 'accept: application/json', '--max-time', '3');
  return status === 200 && body.includes(USER) ? true : undefined;
}

/** Logs in, again where a component was just coming back. */
async function loggedIn(t: TestContext): Promise<Session> {
  const session = createSession(t, platform);
  await eventually('a login', () => {
    logIn(session, USER, PASSWORD);
    return isServed(session);
  });
  return session;
}

const anonymousStatus = (): number =>
  Number(
    curl(
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '-H',
      'accept: application/json',
      `${platform.url}api/workgroup/env-info`,
    ).stdout || '0',
  );

for (const program of ['authservice', 'identity', 'gateway', 'profiles', 'dashboard', 'load-balancer']) {
  test(`kill -9 of ${program} lets nobody in and keeps the session`, async (t) => {
    const session = await loggedIn(t);
    process.kill(processOf(program), 'SIGKILL');
    assert.notEqual(anonymousStatus(), 200);
    await eventually(`${program} to be back`, () => {
      assert.notEqual(anonymousStatus(), 200);
      return isServed(session);
    });
  });
}

test('kill -9 of the cluster itself: everything comes back as it was', async (t) => {
  const session = await loggedIn(t);
  const pods = kubectl(platform, 'get', 'pods', '-A', '-o', 'name').split('\n').toSorted();
  process.kill(
    processes().find(({ command }) => command.includes('packages/cluster/src/main.ts'))?.pid ?? 0,
    'SIGKILL',
  );
  await eventually('the session to work again', () => isServed(session));
  assert.deepEqual(kubectl(platform, 'get', 'pods', '-A', '-o', 'name').split('\n').toSorted(), pods);
});

test('Ctrl-C ends everything within 3 s, and the next start finds sessions and workspaces', async (t) => {
  const session = await loggedIn(t);
  const tookMs = await platform.interrupt();
  assert.ok(tookMs < 3000, `${tookMs} ms`);
  assert.deepEqual(processes(), []);
  platform = await startPlatform(home.directory);
  await eventually('the session to work after the start', () => isServed(session));
  assert.equal(kubectl(platform, 'get', 'profile', 'kubeflow-admin', '-o', 'jsonpath={.spec.owner.name}'), USER);
});

test('while the AuthService is away, a live session is decided in the gateway for a moment, and nobody else gets in', async (t) => {
  const session = createSession(t, platform);
  assert.equal(logIn(session, USER, PASSWORD).status, 200);
  const logs = (): string => kubectl(platform, 'logs', '-n', 'istio-system', 'deploy/istio-ingressgateway');
  await eventually('the gateway to decide', () => logs().includes('live sessions are decided here'));
  const scale = (replicas: number): string =>
    kubectl(platform, 'scale', '-n', 'istio-system', 'deploy/authservice', `--replicas=${replicas}`);
  scale(0);
  const stranger = (): string => curl('-o', '/dev/null', '-w', '%{http_code}', platform.url).stdout;
  await eventually('strangers to be refused', () => stranger() === '503');
  assert.equal(session.get('/').status, 200);
  // The lease runs out: then nobody at all gets in.
  await eventually('everybody to be refused', () => session.get('/').status === 503);
  scale(1);
  await eventually('the session to work again', () => isServed(session));
});
