import assert from 'node:assert/strict';
import { randomBytes, randomInt } from 'node:crypto';
import { describe, it } from 'node:test';
import { parseArp, renderArp, renderArpProbe, renderArpReply, renderGratuitousArp } from './arp.ts';
import { renderMac } from './ethernet.ts';
import { arpFilter, encodeFilter, ndpFilter, rangesOf } from './filter.ts';
import type { Instruction } from './filter.ts';
import {
  checksum,
  isDuplicateCheck,
  parseNdp,
  renderNeighbourAnswer,
  renderNeighbourProbe,
  renderUnsolicited,
  solicitedNode,
} from './ndp.ts';

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/[^0-9a-f]/g, ''), 'hex');
const OURS = hex('6a:13:5a:d2:65:cb');
const PEER = hex('9a:1f:7c:95:ca:dc');
const VIP = hex('0a 00 00 65');
const PEER_IP = hex('0a 00 00 cc');
const VIP6 = hex('fd77 0000 0000 0000 0000 0000 0000 0064');
// As captured: who-has fd77::64 from fd77::9 to its solicited-node group.
const SOLICITATION = withChecksum(
  hex(
    '3333ff000064 9a1f7c95cadc 86dd 60000000 0020 3a ff fd770000000000000000000000000009 ff0200000000000000000001ff000064' +
      '8700 0000 00000000 fd770000000000000000000000000064 0101 9a1f7c95cadc',
  ),
);

function withChecksum(frame: Buffer): Buffer {
  const copy = Buffer.from(frame);
  copy.writeUInt16BE(0, 56);
  copy.writeUInt16BE(checksum(copy.subarray(22, 54), copy.subarray(54)), 56);
  return copy;
}

/** The kernel's filter machine, as far as our programs use it. */
function run(program: readonly Instruction[], frame: Buffer): boolean {
  let accumulator = 0;
  for (let at = 0; at < program.length; at += 1) {
    const { code, jumpTrue, jumpFalse, k } = program[at] ?? assert.fail('the program runs over its end');
    const width = { 0x20: 4, 0x28: 2, 0x30: 1 }[code];
    if (width !== undefined) {
      if (k + width > frame.length) return false;
      accumulator = frame.readUIntBE(k, width);
    } else if (code === 0x06) return k > 0;
    else if (code === 0x05) at += k;
    else {
      const holds = { 0x15: accumulator === k, 0x25: accumulator > k, 0x35: accumulator >= k }[code];
      at += holds === undefined ? assert.fail(`unknown instruction ${code}`) : holds ? jumpTrue : jumpFalse;
    }
  }
  return assert.fail('the program has no end');
}

const request = (targetIp: Buffer, senderIp: Buffer = PEER_IP): Buffer =>
  renderArp({
    operation: 'request',
    destination: Buffer.alloc(6, 0xff),
    senderMac: PEER,
    senderIp,
    targetMac: Buffer.alloc(6),
    targetIp,
  });

describe('ARP', () => {
  it('answers a request to its sender alone, in 60 bytes', () => {
    const message = parseArp(request(VIP)) ?? assert.fail('no message');
    const reply = renderArpReply(message, OURS);
    assert.equal(
      reply.subarray(0, 42).toString('hex'),
      hex('9a1f7c95cadc 6a135ad265cb 0806 0001 0800 06 04 0002 6a135ad265cb 0a000065 9a1f7c95cadc 0a0000cc').toString(
        'hex',
      ),
    );
    assert.equal(reply.length, 60);
  });

  it('tells everybody with a request and a reply', () => {
    const [first, second] = renderGratuitousArp(VIP, OURS).map(parseArp);
    assert.deepEqual([first?.operation, second?.operation], ['request', 'reply']);
    for (const message of [first, second]) {
      assert.equal(renderMac(message?.destination ?? PEER), 'ff:ff:ff:ff:ff:ff');
      assert.deepEqual(
        [message?.senderIp, message?.targetIp].map((ip) => Buffer.from(ip ?? []).toString('hex')),
        ['0a000065', '0a000065'],
      );
    }
  });

  it('probes without claiming', () => {
    const probe = parseArp(renderArpProbe(VIP, OURS));
    assert.deepEqual([...(probe?.senderIp ?? [])], [0, 0, 0, 0]);
    assert.equal(probe?.operation, 'request');
  });

  it('reads nothing out of what is cut, foreign or of another protocol', () => {
    const whole = request(VIP);
    for (let length = 0; length < 42; length += 1) assert.equal(parseArp(whole.subarray(0, length)), undefined);
    for (const [at, byte] of [
      [13, 0xdd],
      [15, 6],
      [17, 1],
      [18, 8],
      [19, 16],
      [21, 3],
      [20, 1],
    ] as const) {
      const broken = Buffer.from(whole);
      broken[at] = byte;
      assert.equal(parseArp(broken), undefined, `byte ${at}`);
    }
  });
});

describe('NDP', () => {
  it('answers a solicitation with the address and the override and solicited flags', () => {
    const message = parseNdp(SOLICITATION) ?? assert.fail('no message');
    assert.equal(message.kind, 'solicitation');
    assert.equal(renderMac(message.linkAddress ?? PEER), '9a:1f:7c:95:ca:dc');
    const answer = renderNeighbourAnswer(message, OURS);
    const parsed = parseNdp(answer) ?? assert.fail('our own answer is not valid');
    assert.equal(parsed.kind, 'advertisement');
    assert.equal(renderMac(parsed.destination), '9a:1f:7c:95:ca:dc');
    assert.equal(renderMac(parsed.linkAddress ?? PEER), '6a:13:5a:d2:65:cb');
    assert.equal(answer[58], 0x60);
  });

  it('answers a unicast check without a link-layer option', () => {
    const frame = Buffer.concat([OURS, SOLICITATION.subarray(6, 78)]);
    frame.writeUInt16BE(24, 18);
    const message = parseNdp(withChecksum(frame)) ?? assert.fail('no message');
    assert.equal(renderMac(renderNeighbourAnswer(message, OURS).subarray(0, 6)), '9a:1f:7c:95:ca:dc');
  });

  it('answers a check for duplicates to everybody', () => {
    const probe = parseNdp(renderNeighbourProbe(VIP6, PEER)) ?? assert.fail('no message');
    assert.equal(isDuplicateCheck(probe), true);
    const answer = renderNeighbourAnswer(probe, OURS);
    assert.equal(renderMac(answer.subarray(0, 6)), '33:33:00:00:00:01');
    assert.equal(answer[58], 0x20);
    assert.deepEqual(answer, renderUnsolicited(VIP6, OURS));
  });

  it('knows the group of an address', () => {
    const group = solicitedNode(hex('20010db8 00000000 00000000 12345678'));
    assert.deepEqual(
      [group.ip.toString('hex'), renderMac(group.mac)],
      ['ff0200000000000000000001ff345678', '33:33:ff:34:56:78'],
    );
  });

  for (const [what, change] of [
    ['a hop limit below 255, which came through a router', (frame: Buffer) => frame.writeUInt8(64, 21)],
    ['a wrong checksum', undefined],
    ['a length beyond the frame', (frame: Buffer) => frame.writeUInt16BE(400, 18)],
    ['an option of length zero', (frame: Buffer) => frame.writeUInt8(0, 79)],
    ['an option beyond the end', (frame: Buffer) => frame.writeUInt8(9, 79)],
    ['a multicast target', (frame: Buffer) => frame.writeUInt8(0xff, 62)],
    ['another version', (frame: Buffer) => frame.writeUInt8(0x40, 14)],
    ['a code', (frame: Buffer) => frame.writeUInt8(1, 55)],
    ['a check for duplicates with a link-layer option', (frame: Buffer) => frame.fill(0, 22, 38)],
  ] as const) {
    it(`drops ${what}`, () => {
      const frame = Buffer.from(SOLICITATION);
      change?.(frame);
      const bad = change === undefined ? Buffer.from(frame).fill(0x55, 56, 58) : withChecksum(frame);
      assert.equal(parseNdp(bad), undefined);
    });
  }
});

describe('hostile frames', () => {
  it('never break a parser', () => {
    const seeds = [request(VIP), SOLICITATION, renderUnsolicited(VIP6, OURS), Buffer.alloc(0)];
    for (let round = 0; round < 20_000; round += 1) {
      const seed = seeds[round % seeds.length] ?? Buffer.alloc(0);
      const frame =
        round % 5 === 0 ? randomBytes(randomInt(200)) : Buffer.from(seed.subarray(0, randomInt(seed.length + 1)));
      for (let flips = randomInt(4); flips > 0 && frame.length > 0; flips -= 1)
        frame[randomInt(frame.length)] = randomInt(256);
      for (const message of [parseArp(frame), parseNdp(frame)]) {
        if (message === undefined) continue;
        assert.ok(message.targetIp.length === 4 || message.targetIp.length === 16);
      }
    }
  });
});

describe('socket filters', () => {
  const many = (count: number, step: number): Buffer[] =>
    Array.from({ length: count }, (_, index) => {
      const ip = Buffer.alloc(4);
      ip.writeUInt32BE(0x0a_00_00_00 + index * step);
      return ip;
    });

  it('let through what is about our addresses, and nothing else', () => {
    const program = arpFilter([VIP]);
    assert.equal(run(program, request(VIP)), true);
    assert.equal(run(program, request(PEER_IP)), false);
    assert.equal(run(program, request(PEER_IP, VIP)), true, 'somebody claims it');
    assert.equal(run(program, Buffer.alloc(20)), false);
    assert.equal(run(arpFilter([]), request(VIP)), false);
    assert.equal(run(ndpFilter([VIP6]), SOLICITATION), true);
    assert.equal(run(ndpFilter([VIP6]), request(VIP)), false);
  });

  it('hold 500 addresses in a few instructions, and scattered ones within what the kernel takes', () => {
    assert.ok(arpFilter(many(500, 1)).length < 20);
    const scattered = many(2000, 7);
    const program = arpFilter(scattered);
    assert.ok(program.length <= 4096);
    assert.equal(encodeFilter(program).length, program.length * 8);
    for (const ip of scattered) assert.equal(run(program, request(ip)), true);
  });

  it('join near addresses first', () => {
    const words = [...Array.from({ length: 500 }, (_, index) => 1000 + index * 2), 9_000_000, 4_000_000_000];
    const ranges = rangesOf(words);
    assert.ok(ranges.length <= 400);
    assert.deepEqual(ranges.at(-1), { first: 4_000_000_000, last: 4_000_000_000 });
  });
});
