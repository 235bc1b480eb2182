/** Measures how long answers to ARP requests take, for several addresses in turn: prints { address: [microseconds …] } as JSON. */
import { bytesOf, parseAddress } from '../src/address/address.ts';
import { Kernel } from '../src/announce/kernel.ts';
import { parseLinkMessages, renderLinkDump } from '../src/announce/link.ts';
import { parseArp, renderArp } from '../src/frame/arp.ts';
import { BROADCAST, ETHERTYPE, UNKNOWN_MAC } from '../src/frame/ethernet.ts';
import { requireNamespace } from './in-namespace.ts';

requireNamespace();

const [rounds = '', pauseMs = '', ...targets] = process.argv.slice(2);
const kernel = new Kernel();
const links = kernel.linkSocket();
kernel.tell(links, renderLinkDump());
kernel.poll([links], 1000);
let eth0: { index: number; mac: Uint8Array } | undefined;
for (let datagram = kernel.receive(links); datagram; datagram = kernel.receive(links)) {
  for (const change of parseLinkMessages(datagram.bytes))
    if (change.kind === 'present' && change.link.name === 'eth0') eth0 = change.link;
}
if (eth0 === undefined) throw new Error('no eth0');
const { index, mac } = eth0;
const socket = kernel.packetSocket(ETHERTYPE.arp);
const results = new Map<string, number[]>(targets.map((target) => [target, []]));

/** Undefined when no answer came within 200 ms. */
function probe(target: string): number | undefined {
  const address = parseAddress(target);
  if (address === undefined) throw new Error(`not an address: ${target}`);
  const ip = bytesOf(address);
  const mine = { senderMac: mac, senderIp: Buffer.from([10, 88, 0, 20]), targetMac: UNKNOWN_MAC, targetIp: ip };
  const startedAt = process.hrtime.bigint();
  kernel.send(socket, renderArp({ operation: 'request', destination: BROADCAST, ...mine }), index);
  while (process.hrtime.bigint() - startedAt < 200_000_000n) {
    kernel.poll([socket], 200);
    for (let frame = kernel.receive(socket); frame; frame = kernel.receive(socket)) {
      const message = parseArp(frame.bytes);
      if (message?.operation === 'reply' && Buffer.compare(message.senderIp, ip) === 0)
        return Number(process.hrtime.bigint() - startedAt) / 1000;
    }
  }
  return undefined;
}

for (const target of targets) for (let warm = 0; warm < 100; warm += 1) probe(target);
for (let round = 0; round < Number(rounds); round += 1) {
  for (const target of targets) {
    const micros = probe(target);
    if (micros !== undefined) results.get(target)?.push(micros);
    kernel.poll([], Number(pauseMs));
  }
}
process.stdout.write(`${JSON.stringify(Object.fromEntries(results))}\n`);
