/**
 * Owns the announcing thread's loop: it sleeps in the kernel until a frame for our addresses, a change of interfaces, a command or the
 * next round comes.
 */
import { readFileSync } from 'node:fs';
import { receiveMessageOnPort } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { ETHERTYPE } from '../frame/ethernet.ts';
import { arpFilter, encodeFilter, ndpFilter } from '../frame/filter.ts';
import { solicitedNode } from '../frame/ndp.ts';
import { Announcements } from './announcements.ts';
import { hearFrame } from './hear-frame.ts';
import type { Heard } from './hear-frame.ts';
import { Kernel } from './kernel.ts';
import { isSameLink, parseLinkMessages, renderLinkDump } from './link.ts';
import type { Link } from './link.ts';
import type { AnnouncerSettings, Command, Report } from './messages.ts';
import { spareRanges } from './spare-memory.ts';

/** Of frames that passed the filter; beyond it the kernel drops them until the second is over. */
const FRAMES_PER_SECOND = 10_000;
const BATCH = 64;
/** After the last new address, or the start. */
const TIDY_AFTER_MS = 6000;

interface Sockets {
  readonly wake: number;
  readonly links: number;
  arp?: number;
  ndp?: number;
  groups?: number;
}

export class AnnouncerThread {
  readonly #kernel = new Kernel();
  readonly #port: MessagePort;
  readonly #fence: BigInt64Array;
  readonly #excluded: readonly RegExp[];
  readonly #announcements: Announcements;
  readonly #sockets: Sockets;
  readonly #links = new Map<number, Link>();
  readonly #joined = new Set<string>();
  #usable: readonly Link[] = [];
  #stopping = false;
  #filtered = '';
  #tidyAt = performance.now() + TIDY_AFTER_MS;
  #window = { endsAt: 0, left: 0 };

  constructor(settings: AnnouncerSettings, port: MessagePort) {
    this.#port = port;
    this.#fence = new BigInt64Array(settings.fence);
    this.#excluded = settings.excluded.map((pattern) => new RegExp(pattern, 'u'));
    this.#sockets = { wake: this.#kernel.eventFd(), links: this.#kernel.linkSocket() };
    this.#announcements = new Announcements({
      links: () => this.#usable,
      send: (frame, link) => {
        const fd = frame[12] === 0x08 ? this.#sockets.arp : this.#sockets.ndp;
        if (fd !== undefined) this.#kernel.send(fd, frame, link.index);
      },
      report: (report) => this.#report(report),
      now: () => performance.now(),
      isCertain: () => this.#isCertain(),
      refreshMs: settings.refreshMs,
    });
  }

  /** Returns when a stop command has come. */
  run(): void {
    this.#report({ kind: 'ready', wakeFd: this.#sockets.wake });
    this.#kernel.tell(this.#sockets.links, renderLinkDump());
    while (!this.#stopping) this.#step();
    for (const fd of Object.values(this.#sockets)) this.#kernel.close(fd as number);
  }

  #report(report: Report): void {
    this.#port.postMessage(report, []);
  }

  #isCertain(): boolean {
    return process.hrtime.bigint() < Atomics.load(this.#fence, 0);
  }

  #step(): void {
    this.#listen();
    const time = performance.now();
    if (time >= this.#window.endsAt) this.#window = { endsAt: time + 1000, left: FRAMES_PER_SECOND };
    const isFlooded = this.#window.left <= 0;
    const { wake, links, arp, ndp } = this.#sockets;
    const heard = isFlooded ? [] : [arp, ndp].filter((fd) => fd !== undefined);
    const due = Math.min(this.#announcements.due, this.#tidyAt);
    const next = isFlooded ? Math.min(due, this.#window.endsAt) : due;
    const timeout = next === Infinity ? -1 : Math.max(0, Math.ceil(next - time));
    for (const position of this.#kernel.poll([wake, links, ...heard], timeout)) {
      if (position === 0) this.#kernel.drainEventFd(wake);
      else if (position === 1) this.#readLinks();
      else this.#readFrames(heard[position - 2] ?? -1);
    }
    this.#obeyAll();
    if (performance.now() >= this.#announcements.due) this.#announcements.runDue();
    if (performance.now() >= this.#tidyAt) {
      this.#tidyAt = Infinity;
      // First the other thread: what it lets go of can only then be given back.
      this.#report({ kind: 'settled' });
    }
  }

  #tidy(): void {
    try {
      this.#kernel.giveBack(spareRanges(readFileSync('/proc/self/smaps', 'utf8')));
    } catch {
      // Memory that is kept harms nobody.
    }
  }

  #obeyAll(): void {
    // The thread never returns to its event loop, where messages would be handed to it.
    for (;;) {
      const received = receiveMessageOnPort(this.#port) as { readonly message: Command } | undefined;
      if (received === undefined) return;
      this.#obey(received.message);
      // What is to be probed or announced must be heard before the first frame goes out.
      this.#listen();
    }
  }

  #obey(command: Command): void {
    switch (command.kind) {
      case 'announce':
        this.#tidyAt = performance.now() + TIDY_AFTER_MS;
        return this.#announcements.announce(command.address, command.interfaces);
      case 'withdraw':
        this.#announcements.withdraw(command.address);
        return this.#report({ kind: 'done', id: command.id });
      case 'probe':
        return this.#announcements.probe(command.id, command.address, command.interfaces);
      case 'count':
        return this.#report({ kind: 'counted', id: command.id, counters: this.#announcements.counters() });
      case 'tidy':
        return this.#tidy();
      case 'stop':
        this.#stopping = true;
    }
  }

  /** Sockets and filters for what is announced now; none is open before it is needed. */
  #listen(): void {
    const { wanted } = this.#announcements;
    const key = `${wanted.map((ip) => ip.toString('hex')).join()} ${this.#usable.map(({ index }) => index).join()}`;
    if (key === this.#filtered) return;
    this.#filtered = key;
    const v4 = wanted.filter((ip) => ip.length === 4);
    const v6 = wanted.filter((ip) => ip.length === 16);
    const sockets = this.#sockets;
    if (v4.length > 0) sockets.arp ??= this.#kernel.packetSocket(ETHERTYPE.arp);
    if (v6.length > 0) sockets.ndp ??= this.#kernel.packetSocket(ETHERTYPE.ipv6);
    if (sockets.arp !== undefined) this.#kernel.attachFilter(sockets.arp, encodeFilter(arpFilter(v4)));
    if (sockets.ndp !== undefined) this.#kernel.attachFilter(sockets.ndp, encodeFilter(ndpFilter(v6)));
    for (const ip of v6) for (const { index } of this.#usable) this.#join(ip, index);
  }

  /** Groups are never left: leaving saves nothing, and the address may come back. */
  #join(ip: Buffer, linkIndex: number): void {
    const key = `${ip.toString('hex', 13)} ${linkIndex}`;
    if (this.#joined.has(key)) return;
    this.#joined.add(key);
    this.#sockets.groups ??= this.#kernel.groupSocket();
    this.#kernel.joinGroup(this.#sockets.groups, solicitedNode(ip).ip, linkIndex);
  }

  #readLinks(): void {
    const { links } = this.#sockets;
    let changed = false;
    for (let datagram = this.#kernel.receive(links); datagram; datagram = this.#kernel.receive(links)) {
      for (const change of parseLinkMessages(datagram.bytes)) {
        if (change.kind === 'gone') changed = this.#links.delete(change.index) || changed;
        else if (!isSameLink(this.#links.get(change.link.index), change.link)) {
          this.#links.set(change.link.index, change.link);
          changed = true;
        }
      }
    }
    if (changed) this.#takeLinks();
  }

  #takeLinks(): void {
    const before = new Set(this.#usable.map(({ index }) => index));
    this.#usable = [...this.#links.values()].filter(
      ({ suitable, running, name }) => suitable && running && !this.#excluded.some((pattern) => pattern.test(name)),
    );
    if (this.#usable.some(({ index }) => !before.has(index))) this.#announcements.repeat();
    this.#report({ kind: 'links', names: this.#usable.map(({ name }) => name) });
  }

  #readFrames(fd: number): void {
    // Decided before reading: what has waited may be old, and a claim behind a request still counts.
    const certain = this.#isCertain();
    const batch: { readonly heard: Heard; readonly link: Link }[] = [];
    for (let count = 0; count < BATCH; count += 1) {
      const frame = this.#kernel.receive(fd);
      if (frame === undefined) break;
      this.#window.left -= 1;
      const link = this.#usable.find(({ index }) => index === frame.linkIndex);
      // Frames for other hosts, and our own.
      if (link === undefined || frame.packetType > 2) continue;
      const heard = hearFrame(certain ? frame.bytes : Buffer.from(frame.bytes));
      if (heard === undefined) continue;
      if (certain) this.#announcements.hear(heard, link);
      else batch.push({ heard, link });
    }
    for (const { heard, link } of batch) this.#announcements.yieldTo(heard, link);
    for (const { heard, link } of batch) this.#announcements.hear(heard, link);
  }
}
