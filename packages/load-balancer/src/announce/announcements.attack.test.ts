/** What a hostile host can do with frames: nothing but ask. */
import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { it } from 'node:test';
import { addressOfBytes, bytesOf, parseAddress } from '../address/address.ts';
import { parseArp, renderArp, renderGratuitousArp } from '../frame/arp.ts';
import { parseNdp, renderNeighbourProbe, renderUnsolicited } from '../frame/ndp.ts';
import { Announcements } from './announcements.ts';
import { hearFrame } from './hear-frame.ts';
import type { Link } from './link.ts';

const ANNOUNCED = ['10.0.0.100', '10.0.0.101', 'fd77::100'];
const NEAR = [...ANNOUNCED, '10.0.0.102', '10.0.1.100', '0.0.0.0', '255.255.255.255', 'fd77::101', '::', 'ff02::1'];
const PEER = Buffer.from('9a1f7c95cadc', 'hex');
const eth0: Link = { index: 2, name: 'eth0', mac: Buffer.from('6a135ad265cb', 'hex'), running: true, suitable: true };
const ip = (text: string): Buffer => bytesOf(parseAddress(text) ?? assert.fail(text));
const pick = <T>(items: readonly T[]): T => items[randomInt(items.length)] ?? assert.fail();
const near = (length: number): Buffer => pick(NEAR.map(ip).filter((bytes) => bytes.length === length));

/** Frames that are nearly right: those get further than noise. */
function forge(): Buffer {
  const seed = pick([
    () =>
      renderArp({
        operation: pick(['request', 'reply']),
        destination: pick([Buffer.alloc(6, 0xff), Buffer.from(eth0.mac), randomBytes(6)]),
        senderMac: pick([PEER, Buffer.from(eth0.mac), Buffer.alloc(6, 0xff), randomBytes(6)]),
        senderIp: near(4),
        targetMac: Buffer.alloc(6),
        targetIp: near(4),
      }),
    () => renderNeighbourProbe(near(16), PEER),
    () => renderUnsolicited(near(16), PEER),
    () => pick(renderGratuitousArp(near(4), PEER)),
    () => randomBytes(randomInt(120)),
  ])();
  const frame = Buffer.from(seed.subarray(0, randomInt(4) === 0 ? randomInt(seed.length + 1) : seed.length));
  for (let flips = pick([0, 0, 0, 1, 3]); flips > 0 && frame.length > 0; flips -= 1)
    frame[randomInt(frame.length)] = randomInt(256);
  return frame;
}

it('whatever comes, only our own addresses are answered for, each to one host, and the log stays short', () => {
  const state = { now: 0 };
  const replies: Buffer[] = [];
  let reports = 0;
  const announcements = new Announcements({
    links: () => [eth0],
    send: (frame) => void replies.push(frame),
    report: () => void (reports += 1),
    now: () => state.now,
    isCertain: () => true,
    refreshMs: 0,
  });
  for (const address of ANNOUNCED) announcements.announce(address, undefined);
  let answered = 0;
  for (let round = 0; round < 50_000; round += 1) {
    state.now = round / 50;
    replies.length = 0;
    const heard = hearFrame(forge());
    if (heard === undefined) continue;
    announcements.hear(heard, eth0);
    assert.ok(replies.length <= 1, 'one frame is never answered by many');
    const [reply] = replies;
    if (reply === undefined) continue;
    answered += 1;
    const arp = parseArp(reply);
    const told = arp === undefined ? parseNdp(reply)?.targetIp : arp.senderIp;
    assert.ok(ANNOUNCED.includes(addressOfBytes(told ?? assert.fail('neither ARP nor NDP')).text));
    // A check for duplicates (RFC 4862) is the one thing that all nodes are told about.
    if (arp !== undefined) assert.equal((reply[0] ?? 1) & 1, 0, 'a group is never answered to');
  }
  assert.ok(answered > 100, 'the forger finds the way in');
  // 50,000 frames in one second.
  assert.ok(reports < 100, `${reports} reports`);
});
