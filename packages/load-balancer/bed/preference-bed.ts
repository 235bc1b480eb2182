/** Preferred nodes and chosen interfaces on a network: run by preference.test.ts in namespaces of its own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { resources } from '@kfctl/kube';
import { ipAddressPools, l2Advertisements } from '../src/pools/configuration.ts';
import { buildBed, hasLogged, macOf, POOL, until } from './network-bed.ts';

const NAMESPACE = 'metallb-system';
const names = ['node-1', 'node-2', 'node-3'];
// The hash puts node-1 or node-2 first: being last it wins by preference alone.
const favourite = 'node-3';

const bed = await buildBed('');
const object = (kind: string, spec: object) => ({
  apiVersion: 'metallb.io/v1beta1',
  kind,
  metadata: { name: 'lan', namespace: NAMESPACE },
  spec,
});
await bed.client.create(ipAddressPools, object('IPAddressPool', { addresses: [POOL] }));
const preference = { matchLabels: { rack: 'edge' } };
await bed.client.create(
  l2Advertisements,
  object('L2Advertisement', { preferredNodeSelectors: [{ weight: 100, preference }] }),
);
for (const name of names) await bed.addNode(name);
const labels = { kind: 'merge', body: { metadata: { labels: { rack: 'edge' } } } } as const;
await bed.client.patch(resources.nodes, favourite, { patch: labels });
const speakers = new Map(names.map((name) => [name, bed.startSpeaker(name)]));
for (const run of speakers.values()) await until('synced', () => hasLogged(run, { event: 'stateSynced' }));

const ip = await bed.addService('web', names);
const answers = async (address = ip): Promise<string> =>
  bed.execAt('client', ['arping', '-c', '1', '-w', '1', '-I', 'eth0', address]).catch(() => '');
const isAt = (name: string) => async (): Promise<boolean> => (await answers()).includes(macOf(name).toUpperCase());
await until('the preferred node answers', isAt(favourite));

// With traffic policy Local only a node with a pod may have it, preferred or not.
const local = await bed.addService('local', ['node-1'], { externalTrafficPolicy: 'Local' });
await until('the node of the pod answers', async () => (await answers(local)).includes(macOf('node-1').toUpperCase()));

// A node that is excluded from load balancers hands its addresses over, and has them back afterwards.
const exclude = (value: string | null): Promise<unknown> => {
  const label = { 'node.kubernetes.io/exclude-from-external-load-balancers': value };
  return bed.client.patch(resources.nodes, favourite, {
    patch: { kind: 'merge', body: { metadata: { labels: label } } },
  });
};
await exclude('');
await until('another node answers', async () => (await isAt('node-1')()) || (await isAt('node-2')()));
await exclude(null);
await until('the preferred node has it back', isAt(favourite), 30_000);

// It dies: the address goes elsewhere at once, and comes back after the node has been well for a while.
const run = speakers.get(favourite) ?? assert.fail();
run.process.kill('SIGKILL');
await once(run.process, 'exit');
await until('another node answers', async () => (await isAt('node-1')()) || (await isAt('node-2')()));
const returned = bed.startSpeaker(favourite);
await until('the preferred node answers again', isAt(favourite), 30_000);
const twice = await bed.execAt('client', ['arping', '-c', '2', '-I', 'eth0', ip]);
assert.match(twice, /Received 2 response/, 'one reply to each request');
assert.ok(!twice.includes(macOf('node-1').toUpperCase()) && !twice.includes(macOf('node-2').toUpperCase()));

// An interface that no node has: nobody answers, and an event says why.
const body = { spec: { interfaces: ['eth9'] } };
await bed.client.patch(l2Advertisements, 'lan', { namespace: NAMESPACE, patch: { kind: 'merge', body } });
await until('it is withdrawn', () => hasLogged(returned, { event: 'serviceWithdrawn' }));
await until('the event is there', async () => {
  const { items } = await bed.client.list(resources.events, { namespace: 'default' });
  const expected = `the interfaces specified by LB IP "${ip}" doesn't exist in assigned node "${favourite}" with protocol "layer2"`;
  return items.some(
    ({ reason, type, message }) => reason === 'announceFailed' && type === 'Warning' && message === expected,
  );
});
assert.equal(await answers(), '');

// A mistake in the advertisement: its status says so, and what was good stays in force.
const wrong = { spec: { interfaces: ['eth0'], preferredNodeSelectors: [{ weight: 100, preference: { match: {} } }] } };
await bed.client.patch(l2Advertisements, 'lan', { namespace: NAMESPACE, patch: { kind: 'merge', body: wrong } });
await until('the status says what is wrong', async () => {
  const advert = await bed.client.get(l2Advertisements, 'lan', { namespace: NAMESPACE });
  const [condition] = (advert?.status?.['conditions'] ?? []) as { status: string; message: string }[];
  return (
    condition?.status === 'False' &&
    condition.message.includes('preferredNodeSelectors[0].preference: unknown field "match"')
  );
});
assert.equal(await answers(), '', 'the configuration before stays in force');
const right = { spec: { interfaces: ['eth0'], preferredNodeSelectors: null } };
await bed.client.patch(l2Advertisements, 'lan', { namespace: NAMESPACE, patch: { kind: 'merge', body: right } });
await until('it is announced again', async () => (await answers()) !== '');
await until('the status is good again', async () => {
  const advert = await bed.client.get(l2Advertisements, 'lan', { namespace: NAMESPACE });
  const [condition] = (advert?.status?.['conditions'] ?? []) as { status: string }[];
  return condition?.status === 'True';
});
await bed.stop();
process.exit(0);
