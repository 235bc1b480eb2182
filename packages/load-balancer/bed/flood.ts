/** Sends what a hostile host on the network could, as fast as it can: COUNT frames; prints how many a second. */
import { randomBytes, randomInt } from 'node:crypto';
import { Kernel } from '../src/announce/kernel.ts';
import { parseLinkMessages, renderLinkDump } from '../src/announce/link.ts';
import { renderArp } from '../src/frame/arp.ts';
import { BROADCAST, UNKNOWN_MAC } from '../src/frame/ethernet.ts';
import { renderNeighbourProbe } from '../src/frame/ndp.ts';
import { requireNamespace } from './in-namespace.ts';

requireNamespace();

const kernel = new Kernel();
const links = kernel.linkSocket();
kernel.tell(links, renderLinkDump());
kernel.poll([links], 1000);
let index = 0;
for (let datagram = kernel.receive(links); datagram; datagram = kernel.receive(links)) {
  for (const change of parseLinkMessages(datagram.bytes))
    if (change.kind === 'present' && change.link.name === 'eth0') ({ index } = change.link);
}
const socket = kernel.packetSocket(0x08_06);
const mac = Buffer.from('021122334455', 'hex');
const vip = Buffer.from([10, 88, 0, 100]);
const ask = (targetIp: Buffer, senderIp: Buffer): Buffer =>
  renderArp({
    operation: 'request',
    destination: BROADCAST,
    senderMac: mac,
    senderIp,
    targetMac: UNKNOWN_MAC,
    targetIp,
  });
const kinds: (() => Buffer)[] = [
  () => ask(vip, randomBytes(4)),
  () => ask(randomBytes(4), randomBytes(4)),
  () => ask(vip, vip),
  () => Buffer.concat([ask(vip, randomBytes(4)).subarray(0, randomInt(14, 60)), randomBytes(randomInt(900))]),
  () => renderNeighbourProbe(randomBytes(16), mac),
  () => Buffer.concat([BROADCAST, mac, Buffer.from([0x08, 0x06]), randomBytes(randomInt(1, 60))]),
];
const frames = Array.from({ length: 600 }, (_, at) => kinds[at % kinds.length]?.() ?? vip);
const count = Number(process.argv[2]);
const startedAt = performance.now();
for (let sent = 0; sent < count; sent += 1) kernel.send(socket, frames[sent % frames.length] ?? vip, index);
process.stdout.write(`${Math.round((count * 1000) / (performance.now() - startedAt))}\n`);
