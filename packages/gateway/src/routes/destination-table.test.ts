import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { UnknownObject } from '@kfctl/kube';
import { parseDestinationRule, unsafeRule } from '../istio/destination-rule.ts';
import type { DestinationRuleModel } from '../istio/destination-rule.ts';
import { destinationRule } from '../rig/objects.ts';
import { buildDestinationTable } from './destination-table.ts';

const SERVICE = { namespace: 'kubeflow', name: 'reviews' };

function balancerOf(objects: readonly UnknownObject[], port = 80, subset?: string): string | undefined {
  const rules = objects.map((object) => parseDestinationRule(object, []));
  const labels = new Map([['istio', 'ingressgateway']]);
  const table = buildDestinationTable({ rules, labels, namespace: 'istio-system' });
  const found = table.find(SERVICE, port, subset);
  return found === undefined ? 'no subset' : found.policy.loadBalancer?.kind;
}

const simple = (name: string): object => ({ loadBalancer: { simple: name } });

function rule(spec: object, more: { namespace?: string; created?: string; name?: string } = {}): UnknownObject {
  return destinationRule(more.name ?? 'a', { host: 'reviews.kubeflow.svc.cluster.local', ...spec }, more);
}

describe('a destination gets', () => {
  test('nothing where no rule names it, and no subset that nobody defines', () => {
    assert.equal(balancerOf([]), undefined);
    assert.equal(balancerOf([rule({ host: 'ratings' })]), undefined);
    assert.equal(balancerOf([], 80, 'v1'), 'no subset');
    assert.equal(balancerOf([rule({ subsets: [{ name: 'v2' }] })], 80, 'v1'), 'no subset');
  });

  test('the rule of its own namespace before that of the root namespace, and nobody else’s', () => {
    const own = rule({ trafficPolicy: simple('RANDOM') });
    const root = rule({ trafficPolicy: simple('LEAST_REQUEST') }, { namespace: 'istio-system' });
    const foreign = rule({ trafficPolicy: simple('ROUND_ROBIN') }, { namespace: 'mallory' });
    assert.equal(balancerOf([root, own, foreign]), 'random');
    assert.equal(balancerOf([root, foreign]), 'least-request');
    assert.equal(balancerOf([foreign]), undefined);
  });

  test('no connection where the rule that counts is broken and asks for TLS', () => {
    const broken = (host: string, namespace: string): DestinationRuleModel | undefined =>
      unsafeRule(rule({ host, subsets: [{ name: 'v1', trafficPolicy: { tls: { mode: 'TLS' } } }] }, { namespace }));
    const whole = parseDestinationRule(rule({ trafficPolicy: simple('RANDOM') }), []);
    const reached = (...rules: (DestinationRuleModel | undefined)[]): boolean => {
      const known = rules.filter((model) => model !== undefined);
      const table = buildDestinationTable({ rules: known, labels: new Map(), namespace: 'istio-system' });
      return table.find(SERVICE, 80, undefined) !== undefined;
    };
    assert.equal(reached(broken('reviews', 'kubeflow')), false);
    assert.equal(reached(broken('*', 'istio-system')), false);
    assert.equal(reached(broken('*', 'istio-system'), whole), true, 'the rule of its own namespace counts');
    assert.equal(reached(broken('reviews', 'mallory')), true, 'what others write about it does not');
    assert.equal(unsafeRule(rule({ trafficPolicy: { tls: { mode: 'ISTIO_MUTUAL' } } })), undefined);
    assert.equal(unsafeRule(rule({ host: 7, trafficPolicy: { tls: { mode: 'SIMPLE' } } })), undefined);
  });

  test('the most specific host of a namespace', () => {
    const wide = rule({ host: '*.kubeflow.svc.cluster.local', trafficPolicy: simple('RANDOM') });
    const all = rule({ host: '*', trafficPolicy: simple('ROUND_ROBIN') });
    assert.equal(balancerOf([all, wide]), 'random');
    assert.equal(balancerOf([all, wide, rule({ trafficPolicy: simple('LEAST_CONN') })]), 'least-request');
  });

  test('rules that are exported to the gateway and select it', () => {
    const policy = { trafficPolicy: simple('RANDOM') };
    assert.equal(balancerOf([rule({ ...policy, exportTo: ['.'] })]), undefined);
    assert.equal(balancerOf([rule({ ...policy, exportTo: ['istio-system'] })]), 'random');
    assert.equal(balancerOf([rule({ ...policy, exportTo: ['*'] })]), 'random');
    const selector = (labels: object): object => ({ ...policy, workloadSelector: { matchLabels: labels } });
    const inRoot = { namespace: 'istio-system' };
    assert.equal(balancerOf([rule(selector({ istio: 'ingressgateway' }), inRoot)]), 'random');
    assert.equal(balancerOf([rule(selector({ app: 'other' }), inRoot)]), undefined);
    assert.equal(balancerOf([rule(selector({ istio: 'ingressgateway' }))]), undefined);
  });

  test('of two rules for one host the policy of the older and the subsets of both', () => {
    const old = rule(
      { trafficPolicy: simple('RANDOM'), subsets: [{ name: 'v1' }] },
      { created: '2020-01-01T00:00:00Z' },
    );
    const young = rule(
      { trafficPolicy: simple('LEAST_CONN'), subsets: [{ name: 'v2' }] },
      { name: 'b', created: '2026-01-01T00:00:00Z' },
    );
    assert.equal(balancerOf([young, old]), 'random');
    assert.equal(balancerOf([young, old], 80, 'v1'), 'random');
    assert.equal(balancerOf([young, old], 80, 'v2'), 'random');
  });

  test('settings of its port instead of the others, and of its subset one by one', () => {
    const policy = {
      ...simple('RANDOM'),
      outlierDetection: {},
      portLevelSettings: [{ port: { number: 81 }, connectionPool: {} }],
    };
    const subsets = [
      { name: 'v1', trafficPolicy: simple('LEAST_CONN') },
      { name: 'v2', trafficPolicy: { portLevelSettings: [{ port: { number: 80 }, ...simple('ROUND_ROBIN') }] } },
    ];
    const rules = [rule({ trafficPolicy: policy, subsets })];
    assert.equal(balancerOf(rules, 80), 'random');
    assert.equal(balancerOf(rules, 81), undefined);
    assert.equal(balancerOf(rules, 80, 'v1'), 'least-request');
    assert.equal(balancerOf(rules, 80, 'v2'), 'round-robin');
  });
});
