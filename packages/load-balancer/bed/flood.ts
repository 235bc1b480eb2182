/**
 * Sends what a hostile host on the network could: COUNT frames, RATE a second at most (0: as fast as it can), of a KIND: `others` (requests
 * for addresses that nobody here announces), `ours` (requests for one that is announced), `hostile` (all of it, and nonsense). Prints how
 * many a second it were.
 */
import { randomBytes, randomInt } from 'node:crypto';
import { Kernel } from '../src/announce/kernel.ts';
import { parseLinkMessages, renderLinkDump } from '../src/announce/link.ts';
import { renderArp } from '../src/frame/arp.ts';
import { BROADCAST, UNKNOWN_MAC } from '../src/frame/ethernet.ts';
import { renderNeighbourProbe } from '../src/frame/ndp.ts';
import { requireNamespace } from './in-namespace.ts';

requireNamespace();

const [count = 0, rate = 0] = process.argv.slice(2, 4).map(Number);
const [kind = 'hostile', target = '10.88.0.100'] = process.argv.slice(4);
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
const vip = Buffer.from(target.split('.').map(Number));
const ask = (targetIp: Buffer, senderIp: Buffer): Buffer =>
  renderArp({
    operation: 'request',
    destination: BROADCAST,
    senderMac: mac,
    senderIp,
    targetMac: UNKNOWN_MAC,
    targetIp,
  });
const foreign = (): Buffer => Buffer.concat([Buffer.from([172]), randomBytes(3)]);
const kinds: Readonly<Record<string, readonly (() => Buffer)[]>> = {
  others: [() => ask(foreign(), randomBytes(4))],
  ours: [() => ask(vip, foreign())],
  hostile: [
    () => ask(vip, randomBytes(4)),
    () => ask(foreign(), randomBytes(4)),
    () => ask(vip, vip),
    () => Buffer.concat([ask(vip, randomBytes(4)).subarray(0, randomInt(14, 60)), randomBytes(randomInt(900))]),
    () => renderNeighbourProbe(randomBytes(16), mac),
    () => Buffer.concat([BROADCAST, mac, Buffer.from([0x08, 0x06]), randomBytes(randomInt(1, 60))]),
  ],
};
const makers = kinds[kind] ?? [];
const frames = Array.from({ length: 600 }, (_, at) => makers[at % makers.length]?.() ?? vip);
const startedAt = performance.now();
for (let sent = 0; sent < count; sent += 1) {
  // A batch each 2 ms: the pauses are the kernel's, not a loop's.
  if (rate > 0 && sent % (rate / 500) === 0) {
    const ahead = (sent * 1000) / rate - (performance.now() - startedAt);
    if (ahead >= 1) kernel.poll([], Math.floor(ahead));
  }
  kernel.send(socket, frames[sent % frames.length] ?? vip, index);
}
process.stdout.write(`${Math.round((count * 1000) / (performance.now() - startedAt))}\n`);
