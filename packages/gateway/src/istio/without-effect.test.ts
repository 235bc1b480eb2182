import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { destinationRule, kubeflowGateway, policy, to, virtualService } from '../rig/objects.ts';
import { startRig } from '../rig/rig.ts';
import type { Rig } from '../rig/rig.ts';
import { parseAuthorizationPolicy } from './authorization-policy.ts';
import { parseDestinationRule } from './destination-rule.ts';
import { parseGateway } from './gateway.ts';
import { parseVirtualService } from './virtual-service.ts';

/** What is said of fields that change nothing; there must be no problem beside it. */
function notesOf(parse: (problems: string[], notes: string[]) => unknown): string[] {
  const problems: string[] = [];
  const notes: string[] = [];
  parse(problems, notes);
  assert.deepEqual(problems, []);
  return notes.map((note) => note.replace(/:.*/, ''));
}

describe('fields that mean something to Istio and nothing here are named', () => {
  const ofRule = (trafficPolicy: object): string[] =>
    notesOf((...found) => parseDestinationRule(destinationRule('a', { host: 'a', trafficPolicy }), ...found));

  test('of a DestinationRule', () => {
    const balancer = (more: object): string[] => ofRule({ loadBalancer: more });
    const at = 'spec.trafficPolicy';
    assert.deepEqual(balancer({ simple: 'RANDOM', localityLbSetting: {}, warmupDurationSecs: '10s' }), [
      `${at}.loadBalancer.localityLbSetting`,
      `${at}.loadBalancer.warmup`,
    ]);
    assert.deepEqual(balancer({ consistentHash: { useSourceIp: true, maglev: {} }, warmup: { duration: '1s' } }), [
      `${at}.loadBalancer.warmup`,
      `${at}.loadBalancer.consistentHash.maglev`,
    ]);
    const tcp = { tcpKeepalive: { probes: 3, interval: '1s' }, maxConnectionDuration: '1h', idleTimeout: '1h' };
    assert.deepEqual(ofRule({ connectionPool: { tcp } }), [
      `${at}.connectionPool.tcp.tcpKeepalive.probes`,
      `${at}.connectionPool.tcp.tcpKeepalive.interval`,
      `${at}.connectionPool.tcp.maxConnectionDuration`,
      `${at}.connectionPool.tcp.idleTimeout`,
    ]);
    assert.deepEqual(ofRule({ tls: { mode: 'ISTIO_MUTUAL' } }), [`${at}.tls.mode`]);
    assert.deepEqual(balancer({ simple: 'LEAST_REQUEST', warmup: { duration: '1s', minimumPercent: 5 } }), []);
  });

  test('of a VirtualService, a Gateway and an AuthorizationPolicy', () => {
    const retries = { attempts: 1, retryOn: '5xx,retriable-headers', retryRemoteLocalities: true };
    const object = virtualService('a', [{ ...to('a'), retries }]);
    const spec = { ...(object['spec'] as object), tcp: [{}] };
    assert.deepEqual(
      notesOf((...found) => parseVirtualService({ ...object, spec }, ...found)),
      ['spec.http[0].retries.retryRemoteLocalities', 'spec.http[0].retries.retryOn', 'spec.tcp'],
    );
    const tls = { mode: 'SIMPLE', credentialName: 'a', cipherSuites: ['x'], maxProtocolVersion: 'TLSV1_2' };
    const servers = [{ port: { number: 443, protocol: 'HTTPS' }, hosts: ['*'], bind: '10.0.0.1', tls }];
    assert.deepEqual(
      notesOf((...found) => parseGateway({ ...kubeflowGateway(), spec: { servers } }, ...found)),
      ['maxProtocolVersion', 'cipherSuites', 'bind'].map((name) =>
        name === 'bind' ? 'spec.servers[0].bind' : `spec.servers[0].tls.${name}`,
      ),
    );
    assert.deepEqual(
      notesOf((...found) => parseAuthorizationPolicy(policy('a', { action: 'AUDIT' }), ...found)),
      ['spec.action'],
    );
  });
});

describe('such an object', () => {
  let rig: Rig;
  before(async () => {
    rig = await startRig();
  });
  after(() => rig.close());

  test('is in force, and people are told once for each version of it', async () => {
    const told = (): string[] => rig.warnings.filter((warning) => warning.includes('WithoutEffect'));
    rig.sources.virtualServices.put(virtualService('page', [{ directResponse: { status: 200 } }]));
    const rule = (simple: string): void =>
      rig.sources.destinationRules.put(
        destinationRule('zones', { host: 'a', trafficPolicy: { loadBalancer: { simple, localityLbSetting: {} } } }),
      );
    rule('RANDOM');
    await rig.settle();
    rig.sources.virtualServices.put(virtualService('page', [{ directResponse: { status: 201 } }]));
    await rig.settle();
    assert.equal(told().length, 1);
    assert.match(
      told()[0] ?? '',
      /^DestinationRule zones: WithoutEffect: spec\.trafficPolicy\.loadBalancer\.localityLbSetting: no effect: /,
    );
    rule('ROUND_ROBIN');
    await rig.settle();
    assert.equal(told().length, 2);
  });
});
