import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createContainerState } from '../container/container-state.ts';
import type { ContainerState } from '../container/container-state.ts';
import { createCrashBackoff } from './backoff.ts';
import { buildEnvironment } from './environment.ts';
import { expandVariables } from './expand-variables.ts';
import { resourceValue } from './field-value.ts';
import { planStarts } from './next-starts.ts';
import { podPhase } from './pod-phase.ts';
import type { ContainerSpec, FullContainerStatus, LocalPod, PodSpec } from './pod-spec.ts';
import { isKnownStatus, qosClass, renderPodStatus } from './pod-status.ts';

test('a crashing container restarts at once, then after 10 s doubling to 5 min, and afresh after a long life', () => {
  let backoff = createCrashBackoff();
  const delays = Array.from({ length: 8 }, () => {
    const { delayMs } = backoff;
    backoff = backoff.afterRun(1_000);
    return delayMs / 1000;
  });
  assert.deepEqual(delays, [0, 10, 20, 40, 80, 160, 300, 300]);
  assert.equal(backoff.afterRun(600_000).delayMs, 10_000);
});

test('$(NAME) is replaced, $$ escapes, unknown names stay', () => {
  const values = new Map([['A', '1']]);
  assert.equal(expandVariables('$(A) $$(A) $(B) $A $(A', values), '1 $(A) $(B) $A $(A');
});

describe('environment', () => {
  const container: ContainerSpec = {
    name: 'c',
    envFrom: [{ prefix: 'P_', configMapRef: { name: 'cm' } }, { secretRef: { name: 'absent', optional: true } }],
    env: [
      { name: 'FIRST', value: '1' },
      { name: 'SECOND', value: '$(FIRST)-$(P_key)-$(LATER)' },
      { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
      { name: 'PASSWORD', valueFrom: { secretKeyRef: { name: 's', key: 'k' } } },
    ],
  };
  const pod: LocalPod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'n' },
    spec: { containers: [container] },
  };
  const objects = {
    configMap: (name: string) =>
      name === 'cm' ? { apiVersion: 'v1', kind: 'ConfigMap', metadata: {}, data: { key: 'x' } } : undefined,
    secret: (name: string) =>
      name === 's' ? { apiVersion: 'v1', kind: 'Secret', metadata: {}, data: { k: 'cGFzcw==' } } : undefined,
    services: () => [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'my-db' },
        spec: { clusterIP: '127.9.8.7', ports: [{ name: 'sql', port: 5432 }] },
      },
    ],
  };
  const parts = {
    pod,
    container,
    objects,
    addresses: { podIp: '127.0.0.9', hostIp: '127.0.0.1' },
    base: { PATH: '/bin' },
  };

  test('services, envFrom and env come together in order', () => {
    const values = Object.fromEntries(buildEnvironment(parts));
    assert.equal(values['SECOND'], '1-x-$(LATER)');
    assert.deepEqual([values['IP'], values['PASSWORD'], values['PATH']], ['127.0.0.9', 'pass', '/bin']);
    assert.deepEqual(
      [values['MY_DB_SERVICE_HOST'], values['MY_DB_SERVICE_PORT_SQL'], values['MY_DB_PORT_5432_TCP']],
      ['127.9.8.7', '5432', 'tcp://127.9.8.7:5432'],
    );
  });

  test('a missing Secret or key stops the container and names itself', () => {
    const needs = (name: string, key: string): ContainerSpec => ({
      name: 'c',
      env: [{ name: 'X', valueFrom: { secretKeyRef: { name, key } } }],
    });
    assert.throws(() => buildEnvironment({ ...parts, container: needs('gone', 'k') }), /secret "gone" not found/);
    assert.throws(
      () => buildEnvironment({ ...parts, container: needs('s', '__proto__') }),
      /couldn't find key __proto__ in secret s/,
    );
  });

  test('resources are counted in units of the divisor, rounded up', () => {
    const limited: ContainerSpec = { name: 'c', resources: { limits: { memory: '1500Mi', cpu: '250m' } } };
    assert.equal(resourceValue(limited, { resource: 'limits.memory', divisor: '1Gi' }), '2');
    assert.equal(resourceValue(limited, { resource: 'limits.cpu', divisor: '1m' }), '250');
    assert.equal(resourceValue(limited, { resource: 'limits.cpu' }), '1');
  });
});

const status = (
  name: string,
  state: FullContainerStatus['state'],
  more: Partial<FullContainerStatus> = {},
): FullContainerStatus => ({
  name,
  ready: state.running !== undefined,
  restartCount: 0,
  state,
  lastState: {},
  ...more,
});
const running = { running: { startedAt: '2026-01-01T00:00:00Z' } };
const ended = (exitCode: number): FullContainerStatus['state'] => ({ terminated: { exitCode } });
const waiting = { waiting: { reason: 'ContainerCreating' } };
const spec = (restartPolicy: 'Always' | 'OnFailure' | 'Never', init: ContainerSpec[] = []): PodSpec => ({
  restartPolicy,
  containers: [{ name: 'a' }, { name: 'b' }],
  initContainers: init,
});

test('the phase follows from the containers', () => {
  const phase = (policy: 'Always' | 'OnFailure' | 'Never', ...states: FullContainerStatus['state'][]): string =>
    podPhase(spec(policy), { init: [], main: states.map((state, index) => status(String(index), state)) });
  assert.equal(phase('Always', running, waiting), 'Pending');
  assert.equal(phase('Always', running, ended(1)), 'Running');
  assert.equal(phase('Always', ended(0), ended(0)), 'Running');
  assert.equal(phase('OnFailure', ended(0), ended(0)), 'Succeeded');
  assert.equal(phase('OnFailure', ended(0), ended(1)), 'Running');
  assert.equal(phase('Never', ended(0), ended(1)), 'Failed');
  const crashing = status('a', { waiting: { reason: 'CrashLoopBackOff' } }, { lastState: ended(1) });
  assert.equal(podPhase(spec('Always'), { init: [], main: [crashing] }), 'Running');
  const init = spec('Never', [{ name: 'i' }]);
  assert.equal(podPhase(init, { init: [status('i', ended(3))], main: [status('a', waiting)] }), 'Failed');
});

describe('starts', () => {
  const end = (state: ContainerState, exitCode: number): void => {
    state.run = { kind: 'ended', end: { exitCode }, endedAtMs: 0 };
  };
  const names = (states: readonly ContainerState[]): string[] => states.map((state) => state.spec.name);

  test('init containers go one after the other, sidecars stay, then all others start', () => {
    const side: ContainerSpec = { name: 'side', restartPolicy: 'Always' };
    const own = spec('Always', [{ name: 'i' }, side]);
    const [i, s] = (own.initContainers ?? []).map((container) => createContainerState(container, true));
    const main = own.containers.map((container) => createContainerState(container, false));
    if (i === undefined || s === undefined) throw new Error('unreachable');
    const wanted = (): string[] => names(planStarts(own, { init: [i, s], main }).wanted);
    assert.deepEqual(wanted(), ['i']);
    end(i, 1);
    assert.deepEqual(wanted(), ['i']);
    end(i, 0);
    assert.deepEqual(wanted(), ['side']);
    s.run = { kind: 'running', process: {} as never };
    assert.deepEqual(wanted(), []);
    s.started = true;
    assert.deepEqual(wanted(), ['a', 'b']);
  });

  test('a pod is finished when no container will run again', () => {
    const plan = (policy: 'Always' | 'OnFailure' | 'Never', ...codes: number[]) => {
      const main = spec(policy).containers.map((container) => createContainerState(container, false));
      for (const [index, code] of codes.entries()) if (main[index] !== undefined) end(main[index], code);
      const { wanted, isFinished } = planStarts(spec(policy), { init: [], main });
      return [names(wanted), isFinished];
    };
    assert.deepEqual(plan('Never', 0, 1), [[], true]);
    assert.deepEqual(plan('OnFailure', 0, 1), [['b'], false]);
    assert.deepEqual(plan('Always', 0, 0), [['a', 'b'], false]);
  });
});

test('the status is told once: what the API server knows is not sent again', () => {
  const pod: LocalPod = { apiVersion: 'v1', kind: 'Pod', metadata: {}, spec: { containers: [{ name: 'a' }] } };
  const render = (known: LocalPod, at: string) =>
    renderPodStatus({
      pod: known,
      containers: { init: [], main: [status('a', running)] },
      podIp: '127.0.0.9',
      hostIp: '127.0.0.1',
      startTime: '2026-01-01T00:00:00Z',
      isPrepared: true,
      now: new Date(at),
    });
  const first = render(pod, '2026-01-01T00:00:00Z');
  assert.equal(isKnownStatus(first, undefined), false);
  const later = render({ ...pod, status: first }, '2026-01-01T09:00:00Z');
  assert.equal(isKnownStatus(later, first), true);
  assert.equal(first.conditions?.find(({ type }) => type === 'Ready')?.status, 'True');
  assert.equal(qosClass(pod), 'BestEffort');
});
