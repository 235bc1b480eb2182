import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CoreEvent, EndpointSlice, Lease, NodeObject, Service } from '@kfctl/kube';
import { explain } from './explain.ts';
import type { ExplainedPod, Finding } from './finding.ts';
import type { BalancerWorld } from './world.ts';

const CONFIG = 'address-pools:\n- name: default\n  protocol: layer2\n  addresses:\n  - 10.0.0.100-10.0.0.101\n';
const configMap = (config: string): NonNullable<BalancerWorld['configMap']> => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name: 'config', namespace: 'metallb-system' },
  data: { config },
});
const pod = (component: string, nodeName: string, ready = true): ExplainedPod => ({
  metadata: { name: `${component}-x`, labels: { app: 'metallb', component } },
  spec: { nodeName },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }] },
});
const node = (name: string, labels: Record<string, string> = {}): NodeObject => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, labels },
});
const service = (spec: Service['spec'] = {}, ip = '10.0.0.100', name = 'web'): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'default', uid: `uid-${name}` },
  spec: { type: 'LoadBalancer', clusterIP: '10.96.0.9', ports: [{ port: 80 }], selector: { app: 'web' }, ...spec },
  ...(ip === '' ? {} : { status: { loadBalancer: { ingress: [{ ip }] } } }),
});
const slice = (nodeName: string, ready = true): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: { name: 'web-x', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
  endpoints: [{ addresses: ['10.1.0.1'], nodeName, conditions: { ready } }],
});
const lease = (holder: string): Lease => ({
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'l2-10.0.0.100', namespace: 'metallb-system' },
  spec: { holderIdentity: holder },
});
const event = (reason: string, message: string, lastTimestamp: string): CoreEvent => ({
  apiVersion: 'v1',
  kind: 'Event',
  metadata: { name: `${reason}-1`, namespace: 'default' },
  involvedObject: { kind: 'Service', name: 'web', namespace: 'default', uid: 'uid-web' },
  reason,
  message,
  lastTimestamp,
});
const object = (kind: string, name: string, spec: object, namespace = 'metallb-system') => ({
  apiVersion: 'metallb.io/v1beta1',
  kind,
  metadata: { name, namespace },
  spec,
});

const WELL: BalancerWorld = {
  namespace: 'metallb-system',
  loadBalancerClass: '',
  configMap: configMap(CONFIG),
  pools: [],
  advertisements: [],
  services: [service()],
  slices: [slice('n1')],
  nodes: [node('n1'), node('n2')],
  namespaces: [],
  pods: [pod('controller', 'n1'), pod('speaker', 'n1'), pod('speaker', 'n2')],
  leases: [lease('n1')],
  events: [event('nodeAssigned', 'announcing from node "n1"', '2026-01-01T00:00:01Z')],
};

const told = async (world: Partial<BalancerWorld>): Promise<readonly Finding[]> => explain({ ...WELL, ...world });
const render = ({ level, subject, finding, evidence, next = '' }: Finding): string =>
  `${level} | ${subject} | ${finding} | ${evidence.join('; ')} | ${next}`;

it('finds nothing wrong where all is well, and tells who announces', async () => {
  assert.deepEqual((await told({})).map(render), [
    'ok | Service default/web | has 10.0.0.100, announced from node "n1" |  | ',
  ]);
});

describe('explains', () => {
  const local = { externalTrafficPolicy: 'Local' } as const;
  for (const [what, world, expected] of [
    [
      'a load balancer that is not there',
      { pods: [], services: [service({}, '')] },
      /problem \| load balancer \| nobody gives addresses.*Service default\/web has no address.*kfctl apply all/,
    ],
    ['another load balancer that gives addresses', { pods: [] }, /ok \| load balancer \| is not installed here/],
    [
      'a controller that does not run',
      { pods: [pod('controller', 'n1', false)] },
      /problem \| load balancer controller \| no pod of it is ready.*controller-x on n1: Running, not ready/,
    ],
    ['no configuration', { configMap: undefined as never }, /problem \| load balancer configuration \| there is none/],
    ['a configuration without pools', { configMap: configMap('') }, /has no pool/],
    [
      'every mistake of the ConfigMap, with its line',
      { configMap: configMap(CONFIG.replace('layer2', 'layer3').replace('10.0.0.101', '10.0.0.400')) },
      /ConfigMap metallb-system\/config \| is not in force.*addresses\[0\]: invalid IP range.*line 5.*protocol: unknown protocol "layer3" \(line 3\).*kubectl edit configmap -n metallb-system config/,
    ],
    [
      'both forms at once',
      { pools: [object('IPAddressPool', 'lan', { addresses: ['10.1.0.0/24'] })] },
      /configured twice/,
    ],
    [
      'a pool in another namespace',
      { pools: [object('IPAddressPool', 'lan', { addresses: ['10.1.0.0/24'] }, 'default')] },
      /IPAddressPool default\/lan \| has no effect: resource must be created in metallb-system namespace/,
    ],
    [
      'a pool without an advertisement',
      { configMap: configMap(''), pools: [object('IPAddressPool', 'lan', { addresses: ['10.0.0.0/24'] })] },
      /IPAddressPool lan \| its addresses are given but never announced/,
    ],
    [
      'a pool that is used up',
      { services: [service({}, '10.0.0.100', 'a'), service({}, '10.0.0.101', 'b'), service({}, '')] },
      /Service default\/web \| has no address: no available IPs \| pool default: 2 of 2 addresses in use/,
    ],
    [
      'an address that cannot be given',
      { services: [service({ loadBalancerIP: '10.9.9.9' }, '')] },
      /has no address: "10.9.9.9" is not allowed in config/,
    ],
    [
      'a request that is a mistake',
      { services: [service({ loadBalancerIP: 'ten' }, '')] },
      /has no address: invalid spec.loadBalancerIP "ten".*kubectl describe service -n default web/,
    ],
    [
      'a controller that does not give what is free',
      { services: [service({}, '')] },
      /the controller does not give it/,
    ],
    [
      'an address of another load balancer',
      { services: [service({}, '192.0.2.7')] },
      /warning .* has 192.0.2.7, which is of no pool: another load balancer gave it/,
    ],
    [
      'a service of another class',
      { services: [service({ loadBalancerClass: 'cloud/x' }, '')] },
      /ok .* is of the class "cloud\/x"/,
    ],
    [
      'no endpoints',
      { slices: [] },
      /no endpoint is ready, nobody would serve \| no pod with app=web \| kubectl get pods -n default -l app=web/,
    ],
    ['endpoints that are not ready', { slices: [slice('n1', false)] }, /endpoint 10.1.0.1 on n1: not ready/],
    [
      'Local without an endpoint where it may be announced',
      {
        services: [service(local)],
        nodes: [node('n1', { 'node.kubernetes.io/exclude-from-external-load-balancers': '' }), node('n2')],
      },
      /externalTrafficPolicy is Local, and no node that may announce has one of its pods \| endpoint 10.1.0.1 on n1; node n1: excluded by the label/,
    ],
    [
      'nodes that are all excluded',
      { nodes: [node('n1', { 'node.kubernetes.io/exclude-from-external-load-balancers': '' })] },
      /every node is excluded/,
    ],
    [
      'an advertisement for other nodes',
      {
        configMap: configMap(''),
        pools: [object('IPAddressPool', 'lan', { addresses: ['10.0.0.0/24'] })],
        advertisements: [object('L2Advertisement', 'l', { nodeSelectors: [{ matchLabels: { rack: 'x' } }] })],
      },
      /no L2Advertisement takes in its pool, the service and a node/,
    ],
    [
      'speakers that are not ready',
      { pods: [pod('controller', 'n1'), pod('speaker', 'n1', false)] },
      /no speaker is ready on n[12], n[12] \| pod speaker-x on n1: Running, not ready/,
    ],
    ['no speakers at all', { pods: [pod('controller', 'n1')] }, /no speaker is ready.*no pod component=speaker/],
    [
      'an address in use by a stranger',
      {
        events: [
          ...WELL.events,
          event(
            'AddressInUse',
            'address 10.0.0.100 is already in use by the host with MAC 02:00:00:00:00:09 on eth0',
            '2026-01-01T00:00:09Z',
          ),
        ],
      },
      /problem .* MAC 02:00:00:00:00:09 .* arping -D/,
    ],
    [
      'interfaces that do not exist',
      {
        events: [
          event(
            'announceFailed',
            `the interfaces specified by LB IP "10.0.0.100" doesn't exist in assigned node "n1" with protocol "layer2"`,
            '2026-01-01T00:00:09Z',
          ),
        ],
      },
      /problem .* doesn't exist in assigned node "n1"/,
    ],
    [
      'a pool outside the network of the nodes',
      {
        events: [
          event('AddressNotOnNetwork', 'address 10.0.0.100 is in no network of node "n1"', '2026-01-01T00:00:09Z'),
        ],
      },
      /warning .* is in no network of node "n1"/,
    ],
    [
      'an address that nobody took',
      { leases: [lease('')], events: [] },
      /no node has taken it.*Lease metallb-system\/l2-10.0.0.100 has no holder/,
    ],
  ] as const satisfies readonly (readonly [string, Partial<BalancerWorld>, RegExp])[]) {
    it(what, async () => {
      const text = (await told(world as Partial<BalancerWorld>)).map(render).join('\n');
      assert.match(text, expected);
    });
  }

  it('an old complaint no more once the address is announced', async () => {
    const events = [
      event('AddressInUse', 'address 10.0.0.100 is already in use', '2026-01-01T00:00:00Z'),
      ...WELL.events,
    ];
    assert.deepEqual(
      (await told({ events })).map(({ level }) => level),
      ['ok'],
    );
  });

  it('a loopback address as served by the machine itself', async () => {
    const config = configMap(CONFIG.replaceAll('10.0.0', '127.9.0'));
    const findings = await told({
      configMap: config,
      services: [service({}, '127.9.0.100')],
      pods: [pod('controller', 'n1')],
    });
    assert.match(findings.map(render).join('\n'), /^ok .* loopback address/);
  });
});
