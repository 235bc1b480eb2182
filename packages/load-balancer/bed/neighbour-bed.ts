/** Neighbour discovery with the kernel's own as the peer: run by neighbour.test.ts in namespaces of its own. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Answered } from '../src/announce/messages.ts';
import { buildBed, macOf, until } from './network-bed.ts';

const VIP = 'fd77::100';
const bed = await buildBed();
await bed.addNode('node-1');
const ip = (place: string, command: string): Promise<string> => bed.execAt(place, ['ip', '-6', ...command.split(' ')]);
await ip('client', 'addr add fd77::20/64 dev eth0 nodad');
await ip('node-1', 'addr add fd77::11/64 dev eth0 nodad');
await ip('node-1', `addr add ${VIP}/128 dev lo nodad`);
const neighbour = (): Promise<string> => ip('client', `neigh show ${VIP} dev eth0`);
const ask = (): Promise<string> =>
  bed.execAt('client', ['curl', '-s', '--max-time', '2', `http://[${VIP}]/`]).catch(() => '');
assert.equal(await ask(), '', 'the kernel of the node does not answer for it by itself');
await ip('client', 'neigh flush dev eth0');

const answers: Answered[] = [];
const announcer = bed.runAt('node-1', 'announce-six.ts', [VIP]);
const lines = createInterface({ input: announcer.stdout ?? assert.fail() });
await once(lines, 'line');
lines.on('line', (line) => answers.push(JSON.parse(line) as Answered));

await until('the client is served', async () => (await ask()).trim() === 'node-1');
assert.match(await neighbour(), new RegExp(`lladdr ${macOf('node-1')}`));
const [first] = answers;
assert.deepEqual(
  [first?.protocol, first?.address, first?.interface, first?.responseMac, first?.senderMac],
  ['NDP', VIP, 'eth0', macOf('node-1'), macOf('client')],
);

// The check whether it is still there goes to this host alone, often without the sender's MAC.
const before = answers.length;
await ip('client', `neigh change ${VIP} dev eth0 nud probe`);
await until('the check is answered', async () => answers.length > before && (await neighbour()).includes('REACHABLE'));

// A host that wants the same address learns that it is taken.
await ip('client', `addr add ${VIP}/64 dev eth0`);
await until('the duplicate is seen', async () => (await ip('client', 'addr show dev eth0')).includes('dadfailed'));
await bed.stop();
process.exit(0);
