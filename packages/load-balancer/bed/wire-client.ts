/**
 * A client on the bed's network: each 20 ms it asks by ARP for an address and sends it a datagram, and it tells what comes back, one
 * JSON object a line: {at, kind: 'ask'}, {at, kind: 'reply' | 'gratuitous', mac}, {at, kind: 'served', node}. Times in milliseconds.
 */
import { createSocket } from 'node:dgram';
import { bytesOf, parseAddress } from '../src/address/address.ts';
import { Kernel } from '../src/announce/kernel.ts';
import { parseLinkMessages, renderLinkDump } from '../src/announce/link.ts';
import { parseArp, renderArp } from '../src/frame/arp.ts';
import { BROADCAST, ETHERTYPE, renderMac, UNKNOWN_MAC } from '../src/frame/ethernet.ts';
import { requireNamespace } from './in-namespace.ts';

requireNamespace();

const address = parseAddress(process.argv[2] ?? '');
if (address === undefined) throw new Error('usage: wire-client ADDRESS');
const vip = bytesOf(address);
const kernel = new Kernel();
const tell = (record: object): void =>
  void process.stdout.write(`${JSON.stringify({ at: performance.timeOrigin + performance.now(), ...record })}\n`);

const links = kernel.linkSocket();
kernel.tell(links, renderLinkDump());
kernel.poll([links], 1000);
const found: { index: number; mac: Uint8Array }[] = [];
for (let datagram = kernel.receive(links); datagram; datagram = kernel.receive(links)) {
  for (const change of parseLinkMessages(datagram.bytes))
    if (change.kind === 'present' && change.link.name === 'eth0') found.push(change.link);
}
const [eth0] = found;
if (eth0 === undefined) throw new Error('no eth0');
const arp = kernel.packetSocket(ETHERTYPE.arp);
const request = renderArp({
  operation: 'request',
  destination: BROADCAST,
  senderMac: eth0.mac,
  senderIp: Buffer.from([10, 88, 0, 20]),
  targetMac: UNKNOWN_MAC,
  targetIp: vip,
});

const udp = createSocket('udp4');
udp.on('message', (message) => tell({ kind: 'served', node: message.toString() }));
udp.on('error', () => undefined);

setInterval(() => {
  tell({ kind: 'ask' });
  kernel.send(arp, request, eth0.index);
  udp.send('?', 7, address.text, () => undefined);
}, 20);
setInterval(() => {
  for (let frame = kernel.receive(arp); frame; frame = kernel.receive(arp)) {
    const message = parseArp(frame.bytes);
    if (message === undefined || Buffer.compare(message.senderIp, vip) !== 0) continue;
    const unicast = Buffer.compare(message.destination, eth0.mac) === 0;
    tell({ kind: unicast ? 'reply' : 'gratuitous', mac: renderMac(message.senderMac) });
  }
}, 2);
