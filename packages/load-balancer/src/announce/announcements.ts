/**
 * Owns the addresses that this node announces or asks about, and what is said about them on the wire and when. No sockets and no
 * clock of its own.
 *
 *   probe ──nobody answers──► (announce) ──► bursts at take-over ──► one round each refresh period
 *                                  │ another host claims it: tell, and say again that it is here
 *                                  └ the same while ownership is uncertain: yield
 */
import { addressOfBytes, bytesOf, parseAddress } from '../address/address.ts';
import { BROADCAST, renderMac } from '../frame/ethernet.ts';
import { solicitedNode } from '../frame/ndp.ts';
import { addressKey, renderGratuitous, renderProbe } from './hear-frame.ts';
import type { Heard } from './hear-frame.ts';
import type { Link } from './link.ts';
import type { AddressCounters, Claimant, Report } from './messages.ts';

export interface AnnouncementsDeps {
  /** The links on which announcing makes sense. */
  readonly links: () => readonly Link[];
  send(frame: Buffer, link: Link): void;
  report(report: Report): void;
  /** Milliseconds, monotonic. */
  now(): number;
  /** True while no other node may have taken our addresses. */
  isCertain(): boolean;
  readonly refreshMs: number;
}

interface Entry {
  readonly address: string;
  readonly ip: Buffer;
  readonly interfaces: ReadonlySet<string> | undefined;
  /** When each round is due; the last one repeats. */
  rounds: number[];
  requests: number;
  responses: number;
  gratuitous: number;
  toldConflictAt: number;
}

interface Probe {
  readonly id: number;
  readonly ip: Buffer;
  readonly interfaces: ReadonlySet<string> | undefined;
  readonly endsAt: number;
  again: number;
}

/** Five seconds in all: Linux does not move an entry again within a second, and one frame may be lost. */
const ROUNDS_MS = [0, 1100, 2200, 3300, 4400];
const PROBE_MS = 240;
const PROBE_AGAIN_MS = 80;
const CONFLICT_PAUSE_MS = 10_000;
const TOLD_PER_SECOND = 20;

export class Announcements {
  readonly #deps: AnnouncementsDeps;
  readonly #entries = new Map<string, Entry>();
  readonly #probes = new Map<string, Probe>();
  #due = Infinity;
  #mayTell = TOLD_PER_SECOND;
  #toldAt = 0;
  #untold = 0;

  constructor(deps: AnnouncementsDeps) {
    this.#deps = deps;
  }

  /** Bytes of every address that frames are wanted about. */
  get wanted(): readonly Buffer[] {
    return [...this.#entries.values(), ...this.#probes.values()].map(({ ip }) => ip);
  }

  get due(): number {
    return this.#due;
  }

  announce(address: string, interfaces: readonly string[] | undefined): void {
    const parsed = parseAddress(address);
    if (parsed === undefined) return;
    const ip = bytesOf(parsed);
    const before = this.#entries.get(addressKey(ip));
    this.#entries.set(addressKey(ip), {
      requests: 0,
      responses: 0,
      gratuitous: 0,
      toldConflictAt: -Infinity,
      ...before,
      address: parsed.text,
      ip,
      interfaces: interfaces === undefined ? undefined : new Set(interfaces),
      rounds: this.#roundsFrom(this.#deps.now()),
    });
    this.#reckonDue();
  }

  withdraw(address: string): void {
    const parsed = parseAddress(address);
    if (parsed !== undefined) this.#entries.delete(addressKey(bytesOf(parsed)));
    this.#reckonDue();
  }

  /** Asks twice, then reports. */
  probe(id: number, address: string, interfaces: readonly string[] | undefined): void {
    const parsed = parseAddress(address);
    if (parsed === undefined) return this.#deps.report({ kind: 'probed', id });
    const ip = bytesOf(parsed);
    const now = this.#deps.now();
    const only = interfaces === undefined ? undefined : new Set(interfaces);
    this.#probes.set(addressKey(ip), { id, ip, interfaces: only, endsAt: now + PROBE_MS, again: now });
    this.#reckonDue();
  }

  /** A link has appeared or come up: who is behind it has not heard us. */
  repeat(): void {
    for (const entry of this.#entries.values()) entry.rounds = this.#roundsFrom(this.#deps.now());
    this.#reckonDue();
  }

  counters(): readonly AddressCounters[] {
    return [...this.#entries.values()].map(({ address, requests, responses, gratuitous }) => ({
      address,
      requests,
      responses,
      gratuitous,
    }));
  }

  /** Says what is due. */
  runDue(): void {
    const now = this.#deps.now();
    for (const entry of this.#entries.values()) this.#sayRound(entry, now);
    for (const [key, probe] of this.#probes) this.#runProbe(key, probe, now);
    this.#reckonDue();
  }

  /** True when the frame makes us stop announcing: somebody else wants or has the address, and it may be theirs by now. */
  yieldTo(heard: Heard, link: Link): boolean {
    const key = heard.claims !== undefined && this.#entries.has(heard.claims) ? heard.claims : heard.asks;
    const entry = key === undefined ? undefined : this.#entries.get(key);
    if (entry === undefined || key === undefined || this.#isOwn(heard)) return false;
    if (heard.claims !== key && !heard.isProbe) return false;
    this.#entries.delete(key);
    this.#reckonDue();
    this.#deps.report({ kind: 'yielded', address: entry.address, claimant: claimantOf(heard, link) });
    return true;
  }

  /** Answers when the frame asks for an address that is announced on that link. */
  hear(heard: Heard, link: Link): void {
    if (heard.claims !== undefined) this.#hearClaim(heard.claims, heard, link);
    const entry = heard.asks === undefined ? undefined : this.#entries.get(heard.asks);
    if (entry === undefined || !isOn(entry, link) || !isForUs(heard, entry, link)) return;
    entry.requests += 1;
    this.#deps.send(heard.answer(link.mac), link);
    entry.responses += 1;
    this.#tell(entry, heard, link);
  }

  #hearClaim(key: string, heard: Heard, link: Link): void {
    if (this.#isOwn(heard)) return;
    const probe = this.#probes.get(key);
    if (probe !== undefined) {
      this.#probes.delete(key);
      this.#deps.report({ kind: 'probed', id: probe.id, claimant: claimantOf(heard, link) });
      this.#reckonDue();
    }
    const entry = this.#entries.get(key);
    const now = this.#deps.now();
    if (entry === undefined || !isOn(entry, link) || now - entry.toldConflictAt < CONFLICT_PAUSE_MS) return;
    entry.toldConflictAt = now;
    this.#deps.report({ kind: 'conflict', address: entry.address, claimant: claimantOf(heard, link) });
    entry.rounds = this.#roundsFrom(now);
    this.#reckonDue();
  }

  /** A second interface on the same network hears what the first one says. */
  #isOwn({ senderMac }: Heard): boolean {
    return this.#deps.links().some(({ mac }) => Buffer.compare(mac, senderMac) === 0);
  }

  #sayRound(entry: Entry, now: number): void {
    if ((entry.rounds[0] ?? Infinity) > now) return;
    entry.rounds.shift();
    if (entry.rounds.length === 0 && this.#deps.refreshMs > 0) entry.rounds.push(now + this.#deps.refreshMs);
    // Who is not sure answers who asks, and claims nothing.
    if (!this.#deps.isCertain()) return;
    for (const link of this.#deps.links()) {
      if (!isOn(entry, link)) continue;
      for (const frame of renderGratuitous(entry.ip, link.mac)) {
        this.#deps.send(frame, link);
        entry.gratuitous += 1;
      }
    }
  }

  #runProbe(key: string, probe: Probe, now: number): void {
    if (now >= probe.endsAt) {
      this.#probes.delete(key);
      this.#deps.report({ kind: 'probed', id: probe.id });
      return;
    }
    if (now < probe.again) return;
    probe.again += PROBE_AGAIN_MS;
    for (const link of this.#deps.links())
      if (isOn(probe, link)) this.#deps.send(renderProbe(probe.ip, link.mac), link);
  }

  #roundsFrom(now: number): number[] {
    return ROUNDS_MS.map((after) => now + after);
  }

  #reckonDue(): void {
    let due = Infinity;
    for (const { rounds } of this.#entries.values()) due = Math.min(due, rounds[0] ?? Infinity);
    for (const { again, endsAt } of this.#probes.values()) due = Math.min(due, again, endsAt);
    this.#due = due;
  }

  #tell({ address }: Entry, heard: Heard, link: Link): void {
    const now = this.#deps.now();
    this.#mayTell = Math.min(TOLD_PER_SECOND, this.#mayTell + ((now - this.#toldAt) * TOLD_PER_SECOND) / 1000);
    this.#toldAt = now;
    if (this.#mayTell < 1) {
      this.#untold += 1;
      return;
    }
    this.#mayTell -= 1;
    this.#deps.report({
      kind: 'answered',
      protocol: heard.protocol,
      address,
      interface: link.name,
      responseMac: renderMac(link.mac),
      senderIp: addressOfBytes(heard.senderIp).text,
      senderMac: renderMac(heard.senderMac),
      untold: this.#untold,
    });
    this.#untold = 0;
  }
}

function isOn({ interfaces }: { readonly interfaces: ReadonlySet<string> | undefined }, { name }: Link): boolean {
  return interfaces === undefined || interfaces.has(name);
}

/** To everybody, to this interface, or to the group of the address; some equipment hands over frames for others. */
function isForUs({ destination }: Heard, { ip }: Entry, { mac }: Link): boolean {
  const groups = ip.length === 4 ? BROADCAST : solicitedNode(ip).mac;
  return Buffer.compare(destination, groups) === 0 || Buffer.compare(destination, mac) === 0;
}

function claimantOf({ senderMac }: Heard, link: Link): Claimant {
  return { mac: renderMac(senderMac), interface: link.name };
}
