/** The controller's decisions as a table, run in many orders on one service: the end must not depend on what came before. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Service } from '@kfctl/kube';
import { Allocator } from '../allocate/allocator.ts';
import { parsePoolConfig } from '../pools/parse-pool-config.ts';
import { convergeService } from './converge-service.ts';
import type { Decision } from './converge-service.ts';

const SURROUNDINGS = { loadBalancerClass: '', labelsOf: () => ({}) };
const V4 = `address-pools:
- {name: auto, protocol: layer2, addresses: [10.1.0.0/31]}
- {name: manual, protocol: layer2, auto-assign: false, addresses: [10.9.0.6/32]}
`;
const DUAL = `address-pools:
- {name: six, protocol: layer2, addresses: ['fd01::/127']}
- {name: both, protocol: layer2, addresses: [10.2.0.0/31, 'fd02::/127']}
`;

interface Case {
  readonly spec?: Service['spec'];
  readonly annotations?: Record<string, string>;
  /** Of the status: addresses, or host names. */
  readonly has?: readonly string[];
  readonly expected: string;
}

const POOL = 'metallb.universe.tf/address-pool';
const IPS = 'metallb.io/loadBalancerIPs';

const CASES: Readonly<Record<string, Case>> = {
  'a cluster service stays untouched': { spec: { type: 'ClusterIP' }, expected: 'leave' },
  'a plain service gets the first address': { expected: '10.1.0.0' },
  'a named address is given': { spec: { loadBalancerIP: '10.1.0.1' }, expected: '10.1.0.1' },
  'a name that is no address is told and nothing is given': {
    spec: { loadBalancerIP: 'please' },
    expected: 'invalid: invalid spec.loadBalancerIP "please"',
  },
  'an address that cannot be given costs the present one': {
    spec: { loadBalancerIP: '10.7.0.1' },
    has: ['10.1.0.1'],
    expected: 'waiting: "10.7.0.1" is not allowed in config',
  },
  'a named pool is used': { annotations: { [POOL]: 'auto' }, expected: '10.1.0.0' },
  'another pool moves the service': { annotations: { [POOL]: 'manual' }, has: ['10.1.0.0'], expected: '10.9.0.6' },
  'an unknown pool is told': { annotations: { [POOL]: 'gone' }, expected: 'waiting: unknown pool "gone"' },
  'a foreign address in the status is replaced': { has: ['192.0.2.1'], expected: '10.1.0.0' },
  'two addresses in the status are one too many': { has: ['10.1.0.0', '10.1.0.1'], expected: '10.1.0.0' },
  'a host name in the status is replaced': { has: ['lb.example.org'], expected: '10.1.0.0' },
  'a node port service loses its address': { spec: { type: 'NodePort' }, has: ['10.1.0.0'], expected: 'clear' },
  'an address of the manual pool is given on request': { spec: { loadBalancerIP: '10.9.0.6' }, expected: '10.9.0.6' },
  'the traffic policy changes nothing': { spec: { externalTrafficPolicy: 'Local' }, expected: '10.1.0.0' },
  'a service without a cluster address waits for it': { spec: { clusterIP: '' }, expected: 'leave' },
  'both ways of asking at once are a mistake': {
    spec: { loadBalancerIP: '10.1.0.0' },
    annotations: { [IPS]: '10.1.0.1' },
    expected: 'invalid: service can not have both the loadBalancerIPs annotation and spec.loadBalancerIP',
  },
  'an address of another pool than the named one is refused': {
    annotations: { [IPS]: '10.1.0.1', [POOL]: 'manual' },
    expected: 'waiting: requested address "10.1.0.1" is in pool "auto", not in the requested pool "manual"',
  },
  'an address of the wrong family is a mistake': {
    spec: { loadBalancerIP: 'fd01::1' },
    expected: `invalid: requested IP "fd01::1" is not of the service's family (IPv4)`,
  },
  'the same in the annotation': {
    annotations: { [IPS]: 'fd01::1' },
    expected: `invalid: requested IP "fd01::1" is not of the service's family (IPv4)`,
  },
  'an address of the wrong family in the status is replaced': { has: ['fd01::1'], expected: '10.1.0.0' },
};

const DUAL_CASES: Readonly<Record<string, Case>> = {
  'a service of both families gets both from one pool': {
    spec: { clusterIPs: ['10.96.0.9', 'fd96::9'] },
    expected: '10.2.0.0 fd02::',
  },
  'in the order of its own families': { spec: { clusterIPs: ['fd96::9', '10.96.0.9'] }, expected: 'fd02:: 10.2.0.0' },
  'a service of IPv6 alone takes the first pool': { spec: { clusterIPs: ['fd96::9'] }, expected: 'fd01::' },
  'one that prefers both and has one family gets one': {
    spec: { clusterIPs: ['10.96.0.9'], ipFamilyPolicy: 'PreferDualStack' },
    expected: '10.2.0.0',
  },
  'both are named': {
    spec: { clusterIPs: ['10.96.0.9', 'fd96::9'] },
    annotations: { [IPS]: '10.2.0.1,fd02::1' },
    expected: '10.2.0.1 fd02::1',
  },
  'one of two named is a mistake': {
    spec: { clusterIPs: ['10.96.0.9', 'fd96::9'] },
    annotations: { [IPS]: '10.2.0.1' },
    expected: 'invalid: one address of each family (IPv4, IPv6) must be requested',
  },
  'two of one family are a mistake': {
    spec: { clusterIPs: ['10.96.0.9', 'fd96::9'] },
    annotations: { [IPS]: '10.2.0.0,10.2.0.1' },
    expected: 'invalid: more than one IPv4 address is requested',
  },
  'three are a mistake': {
    spec: { clusterIPs: ['10.96.0.9', 'fd96::9'] },
    annotations: { [IPS]: '10.2.0.0,fd02::,10.2.0.1' },
    expected: 'invalid: more than one IPv4 address is requested',
  },
  'of two pools they are refused': {
    spec: { clusterIPs: ['10.96.0.9', 'fd96::9'] },
    annotations: { [IPS]: '10.2.0.0,fd01::' },
    expected: 'waiting: "10.2.0.0", "fd01::" are not of one pool',
  },
  'a pool that lacks a family is passed over': {
    spec: { clusterIPs: ['10.96.0.9', 'fd96::9'] },
    annotations: { [POOL]: 'six' },
    expected: 'waiting: no available IPs in pool "six"',
  },
  'one address in the status is too few for two families': {
    spec: { clusterIPs: ['10.96.0.9', 'fd96::9'] },
    has: ['10.2.0.1'],
    expected: '10.2.0.0 fd02::',
  },
};

function allocatorOf(config: string): Allocator {
  const parsed = parsePoolConfig(config);
  assert.ok(parsed.kind === 'pools');
  const allocator = new Allocator();
  allocator.setPools(parsed.pools);
  return allocator;
}

function serviceOf({ spec = {}, annotations = {}, has = [] }: Case): Service {
  const ingress = has.map((text) => (/[a-z]{3}/.test(text) ? { hostname: text } : { ip: text }));
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default', annotations },
    spec: { type: 'LoadBalancer', clusterIP: '10.96.0.9', ports: [{ port: 80 }], ...spec },
    status: { loadBalancer: { ingress } },
  };
}

function render(decision: Decision): string {
  if (decision.kind === 'assigned') return decision.addresses.map(({ text }) => text).join(' ');
  return 'reason' in decision ? `${decision.kind}: ${decision.reason}` : decision.kind;
}

/** Reproducible orders of the cases. */
function* shuffles<T>(items: readonly T[], count: number): Generator<readonly T[]> {
  let state = 42;
  for (let round = 0; round < count; round += 1) {
    const order = [...items];
    for (let last = order.length - 1; last > 0; last -= 1) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      const other = state % (last + 1);
      const held = order[last];
      [order[last], order[other]] = [order[other] as T, held as T];
    }
    yield order;
  }
}

for (const [what, config, cases] of [
  ['one family', V4, CASES],
  ['two families', DUAL, DUAL_CASES],
] as const) {
  describe(`the decision about a service of ${what}`, () => {
    for (const [name, one] of Object.entries(cases)) {
      it(name, () =>
        assert.equal(render(convergeService(serviceOf(one), allocatorOf(config), SURROUNDINGS)), one.expected),
      );
    }

    it('is the same after any history', () => {
      for (const order of shuffles(Object.entries(cases), 100)) {
        const allocator = allocatorOf(config);
        for (const [name, one] of order) {
          // As the reference's own table does: the same name, released in between, as a controller that sees it made anew.
          allocator.release('default/web');
          assert.equal(render(convergeService(serviceOf(one), allocator, SURROUNDINGS)), one.expected, name);
        }
        allocator.release('default/web');
        assert.equal(allocator.inUse('auto') + allocator.inUse('both') + allocator.inUse('six'), 0, 'nothing leaks');
      }
    });
  });
}
