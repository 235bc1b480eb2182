/** The seed's sequence on a network: run by speaker.test.ts in namespaces of its own. */
import assert from 'node:assert/strict';
import { resources } from '@kfctl/kube';
import type { KubeObject, ResourceType } from '@kfctl/kube';
import { explain } from '../src/explain/explain.ts';
import type { ExplainedPod } from '../src/explain/finding.ts';
import { buildBed, hasLogged, macOf, pathOf, until } from './network-bed.ts';

const bed = await buildBed();
for (const node of ['node-1', 'node-2', 'node-3']) await bed.addNode(node);
const speakers = ['node-1', 'node-2', 'node-3'].map((node) => bed.startSpeaker(node));
await until('all speakers are synced', () => speakers.every((speaker) => hasLogged(speaker, { event: 'stateSynced' })));

const ip = await bed.addService('nginx', ['node-2']);
assert.equal(ip, '10.88.0.100');
await until('one announces', () => speakers.some((speaker) => hasLogged(speaker, { event: 'serviceAnnounced' })));
const owner = speakers.find((speaker) => hasLogged(speaker, { event: 'serviceAnnounced' })) ?? assert.fail();
const announced = owner.log.find(({ event }) => event === 'serviceAnnounced') ?? {};
assert.deepEqual(Object.keys(announced), ['caller', 'event', 'ip', 'msg', 'pool', 'protocol', 'service', 'ts']);
assert.deepEqual(
  { ...announced, caller: '', ts: '' },
  {
    caller: '',
    event: 'serviceAnnounced',
    ip,
    msg: 'service has IP, announcing',
    pool: 'default',
    protocol: 'layer2',
    service: 'default/nginx',
    ts: '',
  },
);

await until('the event is there', async () => {
  const { items } = await bed.client.list(resources.events, { namespace: 'default' });
  const event = items.find(({ reason }) => reason === 'nodeAssigned');
  return (
    event?.message === `announcing from node "${owner.node}"` &&
    event.type === 'Normal' &&
    event.source?.component === 'metallb-speaker'
  );
});

// iputils arping, whose output the guide shows.
const mac = macOf(owner.node);
const output = await bed.execAt('client', ['arping', '-c', '2', '-I', 'eth0', ip]);
assert.match(
  output,
  new RegExp(`ARPING ${ip} from 10.88.0.20 eth0\nUnicast reply from ${ip} \\[${mac.toUpperCase()}\\] +[0-9.]+ms`),
);
assert.match(output, /Received 2 response/, 'one reply to each request: nobody else answers');
await until('the request is logged', () =>
  hasLogged(owner, { msg: 'got ARP request for service IP, sending response' }),
);
const asked = owner.log.find(({ msg }) => String(msg).startsWith('got ARP')) ?? {};
assert.deepEqual(Object.keys(asked), [
  'caller',
  'interface',
  'ip',
  'msg',
  'responseMAC',
  'senderIP',
  'senderMAC',
  'ts',
]);
assert.deepEqual(
  [asked['interface'], asked['ip'], asked['responseMAC'], asked['senderIP'], asked['senderMAC']],
  ['eth0', ip, mac, '10.88.0.20', macOf('client')],
);
assert.equal((await bed.execAt('client', ['curl', '-s', '--max-time', '5', `http://${ip}`])).trim(), owner.node);

const metrics = await bed.execAt(owner.node, ['curl', '-s', 'http://127.0.0.1:7472/metrics']);
assert.ok(
  metrics.includes(
    `metallb_speaker_announced{service="default/nginx",protocol="layer2",node="${owner.node}",ip="${ip}"} 1\n`,
  ),
  metrics,
);
assert.match(metrics, /metallb_layer2_responses_sent\{ip="10\.88\.0\.100"\} [1-9]/);

// A flood of nonsense, of claims and of questions, for us and for others: no crash, and who asks after it is answered.
const flooded = await bed.execAt('client', [process.execPath, pathOf('flood.ts'), '60000', '0', 'hostile']);
assert.ok(Number(flooded) > 0);
assert.match(await bed.execAt('client', ['arping', '-f', '-w', '8', '-I', 'eth0', ip]), new RegExp(mac, 'i'));
assert.equal(owner.process.exitCode, null);
assert.ok(owner.log.filter(({ msg }) => String(msg).startsWith('got ARP')).length < 500, 'the log is bounded');

// A clean stop hands over; whoever comes back does not take it away.
const before = speakers.filter((speaker) => speaker !== owner);
owner.process.kill('SIGTERM');
await until('another one announces', () => before.some((speaker) => hasLogged(speaker, { event: 'serviceAnnounced' })));
const heir = before.find((speaker) => hasLogged(speaker, { event: 'serviceAnnounced' })) ?? assert.fail();
const returned = bed.startSpeaker(owner.node);
await until('the old owner is back', () => hasLogged(returned, { event: 'stateSynced' }));
assert.match(await bed.execAt('client', ['arping', '-c', '1', '-I', 'eth0', ip]), new RegExp(macOf(heir.node), 'i'));
assert.equal(hasLogged(returned, { event: 'serviceAnnounced' }), false);

// Gone from the network with its service.
await bed.client.delete(resources.services, 'nginx', { namespace: 'default' });
await until('it is withdrawn', () => hasLogged(heir, { event: 'serviceWithdrawn' }));
await assert.rejects(() => bed.execAt('client', ['arping', '-c', '1', '-w', '1', '-I', 'eth0', ip]), {
  stdout: /Received 0 response/,
});

// An address that a stranger has is not announced.
await bed.execAt('client', ['ip', 'addr', 'add', `${ip}/32`, 'dev', 'eth0']);
await bed.addService('taken', ['node-1']);
await until('the conflict is told', async () => {
  const { items } = await bed.client.list(resources.events, { namespace: 'default' });
  return items.some(({ reason, message }) => reason === 'AddressInUse' && message?.includes(macOf('client')) === true);
});

// And the explanation from the cluster's objects names the stranger.
const everything = async <T extends KubeObject>(type: ResourceType<T>): Promise<readonly T[]> =>
  (await bed.client.list(type)).items;
const pod = (component: string, nodeName: string): ExplainedPod => ({
  metadata: { name: component, labels: { app: 'metallb', component } },
  spec: { nodeName },
  status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] },
});
const [configMap] = (await everything(resources.configMaps)).filter(({ metadata }) => metadata.name === 'config');
const findings = await explain({
  namespace: 'metallb-system',
  loadBalancerClass: '',
  configMap: configMap ?? assert.fail('no configuration'),
  pools: [],
  advertisements: [],
  services: await everything(resources.services),
  slices: await everything(resources.endpointSlices),
  nodes: await everything(resources.nodes),
  namespaces: await everything(resources.namespaces),
  pods: [pod('controller', 'node-1'), pod('speaker', 'node-1'), pod('speaker', 'node-2'), pod('speaker', 'node-3')],
  leases: await everything(resources.leases),
  events: await everything(resources.events),
});
const taken = findings.find(({ subject }) => subject === 'Service default/taken');
assert.equal(taken?.level, 'problem');
assert.match(taken.finding, new RegExp(`${ip} is already in use by the host with MAC ${macOf('client')} on eth0`));
await bed.stop();
process.exit(0);
