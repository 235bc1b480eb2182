import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { destinationRule } from '../rig/objects.ts';
import { parseDestinationRule } from './destination-rule.ts';
import type { DestinationRuleModel } from './destination-rule.ts';

function read(spec: object): { rule: DestinationRuleModel; problems: string[] } {
  const problems: string[] = [];
  return { rule: parseDestinationRule(destinationRule('a', spec), problems), problems };
}

function problemsOf(trafficPolicy: object): string[] {
  return read({ host: 'a', trafficPolicy }).problems;
}

describe('a DestinationRule', () => {
  test('is read with everything that Istio documents for a gateway', () => {
    const { rule, problems } = read({
      host: 'Reviews',
      exportTo: ['.'],
      trafficPolicy: {
        loadBalancer: { consistentHash: { httpCookie: { name: 'user', ttl: '60s' } }, localityLbSetting: {} },
        connectionPool: {
          tcp: { maxConnections: 100, connectTimeout: '30ms', tcpKeepalive: { time: '7200s', interval: '75s' } },
          http: {
            http1MaxPendingRequests: 1,
            http2MaxRequests: 2,
            maxRequestsPerConnection: 3,
            maxRetries: 0,
            idleTimeout: '4s',
            h2UpgradePolicy: 'UPGRADE',
          },
        },
        outlierDetection: { consecutive5xxErrors: 7, interval: '5m', baseEjectionTime: '15m', maxEjectionPercent: 100 },
        tls: { mode: 'MUTUAL', credentialName: 'client', sni: 'Reviews.example.com', subjectAltNames: ['a'] },
        portLevelSettings: [{ port: { number: 80 }, loadBalancer: { simple: 'LEAST_CONN' } }],
      },
      subsets: [{ name: 'v1', labels: { version: 'v1' }, trafficPolicy: { loadBalancer: { simple: 'RANDOM' } } }],
    });
    assert.deepEqual(problems, []);
    assert.equal(rule.host, 'reviews.kubeflow.svc.cluster.local');
    assert.deepEqual(rule.exportTo, ['kubeflow']);
    assert.deepEqual(rule.policy?.loadBalancer, {
      kind: 'hash',
      key: { kind: 'cookie', name: 'user', path: '/', ttlSeconds: 60 },
    });
    assert.equal(rule.policy?.limits?.maxConnections, 100);
    assert.equal(rule.policy?.limits?.maxRetries, 0);
    assert.equal(rule.policy?.limits?.upgradeToHttp2, true);
    assert.deepEqual(rule.policy?.outliers, {
      consecutive5xxErrors: 7,
      consecutiveGatewayErrors: 0,
      consecutiveLocalErrors: 0,
      intervalMs: 300_000,
      baseEjectionMs: 900_000,
      maxEjectionPercent: 100,
      minHealthPercent: 0,
    });
    assert.deepEqual(rule.policy?.tls, {
      kind: 'tls',
      credential: { kind: 'secret', name: 'client', mutual: true },
      sni: 'reviews.example.com',
      subjectAltNames: ['a'],
      insecureSkipVerify: false,
    });
    assert.deepEqual(rule.policy?.ports.get(80)?.loadBalancer, { kind: 'least-request' });
    assert.deepEqual([...(rule.subsets.get('v1')?.labels ?? [])], [['version', 'v1']]);
  });

  test('that wants the TLS of a mesh is plain, since there is no mesh', () => {
    const { rule, problems } = read({ host: 'ml-pipeline', trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } });
    assert.deepEqual(problems, []);
    assert.deepEqual(rule.policy?.tls, { kind: 'plain' });
  });

  test('names a service in any of the ways that hosts are written', () => {
    for (const host of [
      'a',
      'a.kubeflow',
      'a.kubeflow.svc',
      'a.kubeflow.svc.cluster.local',
      'A.kubeflow.svc.my.domain',
    ]) {
      assert.equal(read({ host }).rule.host, 'a.kubeflow.svc.cluster.local');
    }
    assert.equal(read({ host: '*.other.svc.cluster.local' }).rule.host, '*.other.svc.cluster.local');
  });
});

describe('a DestinationRule is broken when it', () => {
  const cases: Record<string, object> = {
    'has an unknown field': { loadBalancing: {} },
    'asks for pass-through, which needs a sidecar': { loadBalancer: { simple: 'PASSTHROUGH' } },
    'asks for an unknown balancer': { loadBalancer: { simple: 'FASTEST' } },
    'asks for two balancers': { loadBalancer: { simple: 'RANDOM', consistentHash: { useSourceIp: true } } },
    'hashes by nothing': { loadBalancer: { consistentHash: {} } },
    'hashes by two things': { loadBalancer: { consistentHash: { useSourceIp: true, httpHeaderName: 'a' } } },
    'hashes by a cookie whose name ends the header': {
      loadBalancer: { consistentHash: { httpCookie: { name: 'a; b', ttl: '1s' } } },
    },
    'hashes by a cookie whose path ends the attribute': {
      loadBalancer: { consistentHash: { httpCookie: { name: 'a', ttl: '1s', path: '/;Domain=x' } } },
    },
    'bounds connections by a word': { connectionPool: { tcp: { maxConnections: 'many' } } },
    'ejects more than everything': { outlierDetection: { maxEjectionPercent: 101 } },
    'has a time that is none': { outlierDetection: { interval: 'soon' } },
    'wants unknown TLS': { tls: { mode: 'TLS' } },
    'wants mutual TLS without a certificate': { tls: { mode: 'MUTUAL' } },
    'wants one-sided TLS with a certificate': { tls: { mode: 'SIMPLE', clientCertificate: '/a', privateKey: '/b' } },
    'verifies nobody and names whom': { tls: { mode: 'SIMPLE', insecureSkipVerify: true, subjectAltNames: ['a'] } },
    'wants a tunnel': { tunnel: { protocol: 'CONNECT' } },
    'has settings for no port': { portLevelSettings: [{ loadBalancer: { simple: 'RANDOM' } }] },
  };
  for (const [name, trafficPolicy] of Object.entries(cases)) {
    test(name, () => assert.notDeepEqual(problemsOf(trafficPolicy), []));
  }

  test('has no host, or two subsets of one name', () => {
    assert.notDeepEqual(read({}).problems, []);
    assert.notDeepEqual(read({ host: 'a', subsets: [{ name: 'a' }, { name: 'a' }] }).problems, []);
  });
});
