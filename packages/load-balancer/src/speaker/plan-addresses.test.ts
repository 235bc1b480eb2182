import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { EndpointSlice, NodeObject, Service } from '@kfctl/kube';
import { readConfiguration } from '../pools/configuration.ts';
import type { Advertisement, Configuration } from '../pools/configuration.ts';
import { planAddresses } from './plan-addresses.ts';
import type { World } from './plan-addresses.ts';

const outcome = readConfiguration({
  configMap: {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'config' },
    data: { config: 'address-pools:\n- {name: default, protocol: layer2, addresses: [10.20.30.0/24]}\n' },
  },
  pools: [],
  advertisements: [],
});
const configuration: Configuration = outcome.kind === 'configuration' ? outcome.configuration : assert.fail();

const node = (name: string, labels: Record<string, string> = {}, unavailable = false): NodeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels },
  status: { conditions: [{ type: 'NetworkUnavailable', status: unavailable ? 'True' : 'False' }] },
});
const service = (name: string, spec: Service['spec'] = {}, ip = '10.20.30.1'): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default', labels: { app: name } },
  spec: { type: 'LoadBalancer', ...spec },
  status: { loadBalancer: { ingress: [{ ip }] } },
});
type Conditions = NonNullable<EndpointSlice['endpoints']>[number]['conditions'];
const slice = (
  name: string,
  ...endpoints: readonly [node: string | undefined, conditions?: Conditions][]
): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: `${name}-x`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
  endpoints: endpoints.map(([nodeName, conditions = { ready: true }]) => ({
    addresses: ['10.1.0.1'],
    conditions,
    ...(nodeName === undefined ? {} : { nodeName }),
  })),
});

function plan(world: Partial<World>): Record<string, readonly string[]> {
  const planned = planAddresses({
    configuration,
    services: [service('web')],
    slices: [slice('web', ['iris1'])],
    nodes: [node('iris1'), node('iris2')],
    loadBalancerClass: '',
    ignoreExcludeLabel: false,
    ...world,
  });
  return Object.fromEntries([...planned].map(([ip, { order }]) => [ip, order]));
}

const advertised = (...advertisements: readonly Partial<Advertisement>[]): Configuration => ({
  ...configuration,
  advertisements: advertisements.map((more) => ({
    name: 'a',
    pools: new Set(['default']),
    nodeSelectors: [],
    interfaces: undefined,
    serviceSelectors: [],
    preferences: [],
    ...more,
  })),
});

describe('the plan', () => {
  const shared = service('web');
  shared.metadata.annotations = { 'metallb.io/allow-shared-ip': 'k' };
  const local = { externalTrafficPolicy: 'Local' } as const;
  const both = ['iris2', 'iris1'];
  for (const [what, world, expected] of [
    ['every node, wherever the endpoints are', {}, both],
    ['nobody without an endpoint', { slices: [] }, []],
    ['nobody when no endpoint is ready', { slices: [slice('web', ['iris1', { ready: false }])] }, []],
    [
      'endpoints that end but still serve',
      { slices: [slice('web', ['iris1', { ready: false, serving: true }])] },
      both,
    ],
    ['endpoints of unknown readiness', { slices: [slice('web', ['iris1', {}])] }, both],
    ['endpoints without a node', { slices: [slice('web', [undefined])] }, both],
    ['only the nodes of the endpoints for Local', { services: [service('web', local)] }, ['iris1']],
    [
      'nobody for Local when the endpoint is on no node',
      { services: [service('web', local)], slices: [slice('web', [undefined])] },
      [],
    ],
    [
      'several slices together',
      {
        services: [service('web', local)],
        slices: [slice('web', ['iris1', { ready: false }]), slice('web', ['iris2'])],
      },
      ['iris2'],
    ],
    ['no node whose network is unavailable', { nodes: [node('iris1'), node('iris2', {}, true)] }, ['iris1']],
    [
      'no node that is excluded from load balancers',
      { nodes: [node('iris1'), node('iris2', { 'node.kubernetes.io/exclude-from-external-load-balancers': '' })] },
      ['iris1'],
    ],
    [
      'excluded nodes where that is wanted',
      {
        nodes: [node('iris1'), node('iris2', { 'node.kubernetes.io/exclude-from-external-load-balancers': 'true' })],
        ignoreExcludeLabel: true,
      },
      both,
    ],
    ['nobody without an advertisement', { configuration: advertised() }, []],
    ['nobody for a pool that is not advertised', { configuration: advertised({ pools: new Set(['other']) }) }, []],
    [
      'only the nodes of the advertisement',
      {
        nodes: [node('iris1', { rack: '1' }), node('iris2', { rack: '2' })],
        configuration: advertised({ nodeSelectors: [{ matchLabels: { rack: '1' } }] }),
      },
      ['iris1'],
    ],
    [
      'the preferred nodes first, by the sum of the weights of all advertisements',
      {
        nodes: [node('iris1', { rack: '1', ssd: '' }), node('iris2', { rack: '2' })],
        configuration: advertised(
          {
            preferences: [
              { weight: 50, selector: { matchLabels: { rack: '2' } } },
              { weight: 20, selector: { matchLabels: { rack: '1' } } },
            ],
          },
          { preferences: [{ weight: 40, selector: { matchExpressions: [{ key: 'ssd', operator: 'Exists' }] } }] },
        ),
      },
      ['iris1', 'iris2'],
    ],
    [
      'nobody for a service that shares its address, where only some services are advertised',
      {
        services: [shared],
        configuration: advertised({ serviceSelectors: [{ matchLabels: { app: 'web' } }] }),
      },
      [],
    ],
    [
      'only the services of the advertisement',
      { configuration: advertised({ serviceSelectors: [{ matchLabels: { app: 'db' } }] }) },
      [],
    ],
  ] as const satisfies readonly (readonly [string, Partial<World>, readonly string[]])[]) {
    it(`takes ${what}`, () => assert.deepEqual(plan(world)['10.20.30.1'] ?? [], expected));
  }

  it('leaves out other types, classes and addresses of no pool', () => {
    const services = [
      service('web', { type: 'ClusterIP' }),
      service('web', { loadBalancerClass: 'cloud/x' }, '10.20.30.2'),
      service('web', {}, '192.0.2.1'),
      service('web', {}, 'garbage'),
    ];
    assert.deepEqual(plan({ services }), {});
  });

  it('announces services that share an address from one node', () => {
    const shared = planAddresses({
      configuration: advertised({ interfaces: ['eth0'] }, { interfaces: ['eth1'] }),
      services: [service('tcp'), service('udp'), service('idle')],
      slices: [slice('tcp', ['iris1']), slice('udp', ['iris2'])],
      nodes: [node('iris1'), node('iris2')],
      loadBalancerClass: '',
      ignoreExcludeLabel: false,
    }).get('10.20.30.1');
    assert.deepEqual(shared?.order, both);
    assert.deepEqual(shared?.interfaces.get('iris1'), ['eth0', 'eth1']);
    assert.deepEqual(
      shared?.services.map(({ key, nodes }) => [key, nodes.size]),
      [
        ['default/idle', 0],
        ['default/tcp', 2],
        ['default/udp', 2],
      ],
    );
  });
});
