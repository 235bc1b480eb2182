import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readConfiguration } from './configuration.ts';
import type { ConfigObjects, PoolObject } from './configuration.ts';
import { admits, poolsFor } from './pool.ts';
import type { Pool } from './pool.ts';
import { summariseProblems } from './render-problems.ts';

const object = (kind: string, name: string, spec: unknown, labels: Record<string, string> = {}): PoolObject => ({
  apiVersion: 'metallb.io/v1beta1',
  kind,
  metadata: { name, namespace: 'metallb-system', labels },
  spec,
});
const pool = (name: string, spec: object, labels = {}): PoolObject => object('IPAddressPool', name, spec, labels);
const advert = (name: string, spec: object): PoolObject => object('L2Advertisement', name, spec);
const addresses = ['10.0.0.0/24'];

function mistakes(objects: Partial<ConfigObjects>): string[] {
  const outcome = readConfiguration({ configMap: undefined, pools: [], advertisements: [], ...objects });
  if (outcome.kind !== 'invalid') return [];
  return outcome.mistakes.map(
    ({ object: { kind, metadata }, problems }) => `${kind} ${metadata.name}: ${summariseProblems(problems)}`,
  );
}

describe('pool objects', () => {
  it('are read with their advertisements, by name and by label', () => {
    const outcome = readConfiguration({
      configMap: undefined,
      pools: [
        pool('b', { addresses: ['10.1.0.0/24', 'fd77::/120'], autoAssign: false, avoidBuggyIPs: true }, { zone: 'x' }),
        pool('a', { addresses }),
      ],
      advertisements: [
        advert('named', { ipAddressPools: ['a'], interfaces: ['eth0'] }),
        advert('labelled', {
          ipAddressPoolSelectors: [{ matchExpressions: [{ key: 'zone', operator: 'In', values: ['x'] }] }],
        }),
        advert('all', {}),
      ],
    });
    assert.ok(outcome.kind === 'configuration');
    const { pools, advertisements } = outcome.configuration;
    assert.deepEqual(
      pools.map(({ name, autoAssign, avoidBuggyIps }) => [name, autoAssign, avoidBuggyIps]),
      [
        ['a', true, false],
        ['b', false, true],
      ],
    );
    assert.deepEqual(
      advertisements.map(({ name, pools: names, interfaces }) => [name, [...names], interfaces]),
      [
        ['named', ['a'], ['eth0']],
        ['labelled', ['b'], undefined],
        ['all', ['a', 'b'], undefined],
      ],
    );
  });

  it('and a ConfigMap with pools at once are a mistake of all of them, which says what to do', () => {
    const configMap = (config: string) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'config' },
      data: { config },
    });
    const pools = [pool('a', { addresses })];
    const old = 'address-pools: [{name: a, protocol: layer2, addresses: [10.0.0.0/24]}]';
    const told = mistakes({ configMap: configMap(old), pools });
    assert.equal(told.length, 2);
    for (const text of told)
      assert.match(
        text,
        /configured twice: by address-pools in ConfigMap "config" and by IPAddressPool "a"; keep one form/,
      );
    assert.deepEqual(mistakes({ configMap: configMap(''), pools }), []);
    assert.deepEqual(mistakes({ configMap: configMap(old) }), []);
  });

  for (const [what, pools, advertisements, expected] of [
    ['no addresses', [pool('a', {})], [], /spec.addresses: pool has no prefixes/],
    ['no spec', [object('IPAddressPool', 'a', undefined)], [], /pool has no prefixes/],
    ['a bad CIDR', [pool('a', { addresses: ['10.0.0.0/40'] })], [], /spec.addresses\[0\]: invalid CIDR/],
    ['a reversed range', [pool('a', { addresses: ['10.0.0.9-10.0.0.1'] })], [], /is after the end IP/],
    [
      'overlap of two pools',
      [pool('a', { addresses }), pool('b', { addresses: ['10.0.0.7/32'] })],
      [],
      /IPAddressPool b: .*overlaps with CIDR "10.0.0.0\/24" of pool "a"/,
    ],
    ['an unknown field', [pool('a', { addresses, protocol: 'layer2' })], [], /spec.protocol: unknown field/],
    ['a text as boolean', [pool('a', { addresses, autoAssign: 'yes' })], [], /must be true or false/],
    [
      'a negative priority',
      [pool('a', { addresses, serviceAllocation: { priority: -1 } })],
      [],
      /serviceAllocation.priority: must be a whole number/,
    ],
    [
      'a bad selector',
      [pool('a', { addresses, serviceAllocation: { serviceSelectors: [{ match: {} }] } })],
      [],
      /unknown field "match"/,
    ],
    [
      'an unknown operator',
      [],
      [advert('x', { nodeSelectors: [{ matchExpressions: [{ key: 'a', operator: 'Like' }] }] })],
      /operator/,
    ],
    [
      'a pool that does not exist',
      [pool('a', { addresses })],
      [advert('x', { ipAddressPools: ['b'] })],
      /L2Advertisement x: spec.ipAddressPools\[0\]: there is no IPAddressPool "b"/,
    ],
    ['an interface listed twice', [], [advert('x', { interfaces: ['eth0', 'eth0'] })], /"eth0" is listed twice/],
    [
      'a weight over 100',
      [],
      [advert('x', { preferredNodeSelectors: [{ weight: 101, preference: {} }] })],
      /spec.preferredNodeSelectors\[0\].weight: must be a whole number from 1 to 100/,
    ],
    [
      'a preference without a selector',
      [],
      [advert('x', { preferredNodeSelectors: [{ weight: 1 }] })],
      /spec.preferredNodeSelectors\[0\].preference: must be a label selector/,
    ],
    [
      'a node name as preference',
      [],
      [advert('x', { preferredNodeSelectors: ['node-1'] })],
      /must be a mapping of weight and preference/,
    ],
    ['interfaces that are no list', [], [advert('x', { interfaces: 'eth0' })], /must be a list/],
  ] as const) {
    it(`refuse ${what}`, () => {
      const told = mistakes({ pools, advertisements });
      assert.equal(told.length, 1, told.join('\n'));
      assert.match(told[0] ?? '', expected);
    });
  }
});

describe('pools for some services', () => {
  const read = (name: string, serviceAllocation?: object): Pool => {
    const index = name.codePointAt(0) ?? 0;
    const outcome = readConfiguration({
      configMap: undefined,
      pools: [pool(name, { addresses: [`10.${index}.0.0/24`], ...(serviceAllocation ? { serviceAllocation } : {}) })],
      advertisements: [],
    });
    return outcome.kind === 'configuration' ? (outcome.configuration.pools[0] ?? assert.fail()) : assert.fail(name);
  };
  const everybody = read('everybody');
  const late = read('late', { namespaces: ['team'] });
  const early = read('early', { priority: 1, namespaceSelectors: [{ matchLabels: { team: 'a' } }] });
  const web = read('web', { priority: 5, namespaces: ['team'], serviceSelectors: [{ matchLabels: { app: 'web' } }] });
  const guest = { namespace: 'team', namespaceLabels: { team: 'a' }, labels: { app: 'web' } };

  it('come by priority, before those for everybody', () => {
    const names = (who: Parameters<typeof poolsFor>[1]): string[] =>
      poolsFor([everybody, late, web, early], who).map(({ name }) => name);
    assert.deepEqual(names(guest), ['early', 'web', 'late', 'everybody']);
    assert.deepEqual(names({ namespace: 'other' }), ['everybody']);
  });

  it('want the namespace and the labels', () => {
    assert.equal(admits(web, guest), true);
    assert.equal(admits(web, { ...guest, labels: {} }), false);
    assert.equal(admits(web, { ...guest, namespace: 'other' }), false);
  });
});
