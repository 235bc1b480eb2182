import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bytesOf, parseAddress } from '../address/address.ts';
import { parseArp, renderArp, renderArpProbe, renderGratuitousArp } from '../frame/arp.ts';
import { renderMac } from '../frame/ethernet.ts';
import { Announcements } from './announcements.ts';
import { hearFrame } from './hear-frame.ts';
import type { Link } from './link.ts';
import type { Report } from './messages.ts';

const PEER = Buffer.from('9a1f7c95cadc', 'hex');
const eth0: Link = { index: 2, name: 'eth0', mac: Buffer.from('6a135ad265cb', 'hex'), running: true, suitable: true };
const eth1: Link = { ...eth0, index: 3, name: 'eth1', mac: Buffer.from('6a135ad265cc', 'hex') };
const ip = (text: string): Buffer => bytesOf(parseAddress(text) ?? assert.fail(text));

function bed(links: readonly Link[] = [eth0]) {
  const sent: { frame: Buffer; link: string }[] = [];
  const reports: Report[] = [];
  const state = { now: 0, certain: true };
  const announcements = new Announcements({
    links: () => links,
    send: (frame, link) => void sent.push({ frame, link: link.name }),
    report: (report) => void reports.push(report),
    now: () => state.now,
    isCertain: () => state.certain,
    refreshMs: 60_000,
  });
  const hear = (frame: Buffer, link: Link = eth0): void =>
    announcements.hear(hearFrame(frame) ?? assert.fail('not heard'), link);
  const passTo = (now: number): void => {
    state.now = now;
    announcements.runDue();
  };
  return { announcements, sent, reports, state, hear, passTo };
}

const request = (target: string, destination: Uint8Array = Buffer.alloc(6, 0xff)): Buffer =>
  renderArp({
    operation: 'request',
    destination,
    senderMac: PEER,
    senderIp: ip('10.0.0.204'),
    targetMac: Buffer.alloc(6),
    targetIp: ip(target),
  });

describe('announcements', () => {
  it('answer broadcast and unicast requests for what is announced, and tell it', () => {
    const { announcements, sent, reports, hear } = bed();
    announcements.announce('10.0.0.101', undefined);
    hear(request('10.0.0.101'));
    hear(request('10.0.0.101', eth0.mac));
    assert.equal(sent.length, 2);
    assert.equal(renderMac(parseArp(sent[0]?.frame ?? PEER)?.senderMac ?? PEER), '6a:13:5a:d2:65:cb');
    assert.deepEqual(reports[0], {
      kind: 'answered',
      protocol: 'ARP',
      address: '10.0.0.101',
      interface: 'eth0',
      responseMac: '6a:13:5a:d2:65:cb',
      senderIp: '10.0.0.204',
      senderMac: '9a:1f:7c:95:ca:dc',
      untold: 0,
    });
  });

  it('never answer for other addresses, other destinations, replies, or what was withdrawn', () => {
    const { announcements, sent, hear } = bed();
    announcements.announce('10.0.0.101', undefined);
    hear(request('10.0.0.102'));
    hear(request('10.0.0.101', Buffer.from('020000000001', 'hex')));
    for (const frame of renderGratuitousArp(ip('10.0.0.204'), PEER)) hear(frame);
    announcements.withdraw('10.0.0.101');
    hear(request('10.0.0.101'));
    assert.deepEqual(sent, []);
  });

  it('keep to the interfaces that were chosen', () => {
    const { announcements, sent, hear, passTo } = bed([eth0, eth1]);
    announcements.announce('10.0.0.101', ['eth1']);
    passTo(0);
    hear(request('10.0.0.101'), eth0);
    hear(request('10.0.0.101'), eth1);
    assert.deepEqual([...new Set(sent.map(({ link }) => link))], ['eth1']);
  });

  it('say five times in five seconds where the address is, then once a refresh period', () => {
    const { announcements, sent, passTo } = bed();
    announcements.announce('10.0.0.101', undefined);
    for (let now = 0; now <= 10_000; now += 100) passTo(now);
    assert.equal(sent.length, 10);
    for (let now = 10_000; now <= 130_000; now += 100) passTo(now);
    assert.equal(sent.length, 14);
  });

  it('report whoever has the address that is asked about', () => {
    const { announcements, sent, reports, hear, passTo } = bed();
    announcements.probe(7, '10.0.0.101', undefined);
    for (let now = 0; now < 200; now += 10) passTo(now);
    assert.equal(sent.length, 3);
    const [, reply = PEER] = renderGratuitousArp(ip('10.0.0.101'), PEER);
    hear(reply);
    announcements.probe(8, '10.0.0.102', undefined);
    passTo(1000);
    assert.deepEqual(reports, [
      { kind: 'probed', id: 7, claimant: { mac: '9a:1f:7c:95:ca:dc', interface: 'eth0' } },
      { kind: 'probed', id: 8 },
    ]);
  });

  it('defend the address while ownership is certain, and take our own second interface for no rival', () => {
    const { announcements, reports, hear } = bed([eth0, eth1]);
    announcements.announce('10.0.0.101', undefined);
    const [claim = PEER] = renderGratuitousArp(ip('10.0.0.101'), eth1.mac);
    hear(claim);
    assert.equal(reports.length, 0);
    const [foreign = PEER] = renderGratuitousArp(ip('10.0.0.101'), PEER);
    hear(foreign);
    hear(foreign);
    assert.deepEqual(
      reports.map(({ kind }) => kind),
      ['conflict'],
    );
    hear(request('10.0.0.101'));
    assert.equal(reports.at(-1)?.kind, 'answered');
  });

  it('yield to a claim or a probe while ownership is uncertain, and claim nothing', () => {
    for (const frame of [renderArpProbe(ip('10.0.0.101'), PEER), ...renderGratuitousArp(ip('10.0.0.101'), PEER)]) {
      const { announcements, sent, reports, state, hear, passTo } = bed();
      announcements.announce('10.0.0.101', undefined);
      state.certain = false;
      passTo(0);
      assert.equal(sent.length, 0);
      const heard = hearFrame(request('10.0.0.101')) ?? assert.fail();
      assert.equal(announcements.yieldTo(heard, eth0), false, 'an ordinary question takes nothing away');
      hear(request('10.0.0.101'));
      assert.equal(sent.length, 1);
      assert.equal(announcements.yieldTo(hearFrame(frame) ?? assert.fail(), eth0), true);
      assert.equal(reports.at(-1)?.kind, 'yielded');
      hear(request('10.0.0.101'));
      assert.equal(sent.length, 1);
    }
  });

  it('answer no group, and tell only so many answers a second', () => {
    const { announcements, sent, reports, hear } = bed();
    announcements.announce('10.0.0.101', undefined);
    const group = request('10.0.0.101');
    group[22] = 0xff;
    assert.equal(hearFrame(group), undefined);
    for (let count = 0; count < 1000; count += 1) hear(request('10.0.0.101'));
    assert.equal(sent.length, 1000);
    assert.equal(reports.length, 20);
  });
});
