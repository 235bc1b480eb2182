/**
 * Owns the speaker: the plan from the cluster's objects, ownership of what this node should announce, and the announcing itself.
 *
 *   objects change -> plan -> ownership says "ours" -> does somebody have the address? -> announce, tell it
 */
import { describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { recordEvent } from '@kfctl/kube';
import type { KubeClient, RecordEventInput, Service } from '@kfctl/kube';
import type { Announcer } from '../announce/announcer.ts';
import type { Claimant } from '../announce/messages.ts';
import type { Ownership } from '../ownership/ownership.ts';
import { createTurnstile } from '../ownership/turnstile.ts';
import { isOnNetwork } from './on-network.ts';
import { isOnWire } from './plan-addresses.ts';
import type { PlannedAddress, PlannedService } from './plan-addresses.ts';

export interface SpeakerOptions {
  readonly client: Pick<KubeClient, 'create' | 'get' | 'patch'>;
  readonly log: Logger;
  readonly node: string;
  /** Of this node: `eth0 10.0.0.11/24` … */
  networks(): readonly string[];
  /** Starts the announcing thread, when the first address on a real network needs it. */
  startAnnouncer(): Promise<Announcer>;
}

interface Announced {
  readonly planned: PlannedAddress;
  /** False while somebody else uses the address. */
  readonly onAir: boolean;
}

/** Somebody else's address: looked at again after this. */
const CONFLICT_RETRY_MS = 15_000;
/** Events written at once. */
const EVENTS = 4;

export class Speaker {
  readonly #options: SpeakerOptions;
  /** Addresses that are ours by ownership. */
  readonly #owned = new Set<string>();
  readonly #announced = new Map<string, Announced>();
  /** `service address` that were told about. */
  readonly #told = new Map<string, Service>();
  readonly #pass = createTurnstile(EVENTS);
  readonly #timers = new Map<string, NodeJS.Timeout>();
  /** Addresses that we should announce first and cannot. */
  readonly #unable = new Set<string>();
  #plan: ReadonlyMap<string, PlannedAddress> = new Map();
  #links: readonly string[] | undefined;
  #announcer: Promise<Announcer> | undefined;
  #ownership: Ownership | undefined;
  #until = 0n;

  constructor(options: SpeakerOptions) {
    this.#options = options;
  }

  useOwnership(ownership: Ownership): void {
    this.#ownership = ownership;
  }

  get announced(): readonly { readonly service: string; readonly ip: string }[] {
    return [...this.#told.keys()].map((key) => {
      const [service = '', ip = ''] = key.split(' ');
      return { service, ip };
    });
  }

  async announcer(): Promise<Announcer | undefined> {
    return this.#announcer;
  }

  setPlan(plan: ReadonlyMap<string, PlannedAddress>): void {
    this.#plan = plan;
    // Which interfaces work is known only by the thread that watches them.
    if (
      this.#announcer === undefined &&
      [...plan.values()].some((planned) => this.#isOurs(planned) && isOnWire(planned))
    )
      this.#announcer = this.#start();
    this.#tellOwnership();
    for (const [ip, { planned, onAir }] of this.#announced) {
      const now = plan.get(ip);
      if (now === undefined || !this.#owned.has(ip)) continue;
      this.#announced.set(ip, { planned: now, onAir });
      if (!onAir) continue;
      if (this.#interfacesOf(planned)?.join() !== this.#interfacesOf(now)?.join())
        void this.#announcer?.then((announcer) => announcer.announce(ip, this.#interfacesOf(now)));
      this.#tell(now);
    }
    this.#forgetUnplanned();
  }

  /** The interfaces on which announcing makes sense. */
  setLinks(names: readonly string[]): void {
    this.#links = names;
    this.#tellOwnership();
  }

  onCertain(until: bigint): void {
    this.#until = until;
    void this.#announcer?.then((announcer) => announcer.setFence(until));
  }

  onAcquired(ip: string): void {
    this.#owned.add(ip);
    void this.#take(ip).catch((error: unknown) =>
      this.#options.log.error('cannot announce', { ip, error: describeError(error) }),
    );
  }

  async onLost(ip: string): Promise<void> {
    this.#owned.delete(ip);
    clearTimeout(this.#timers.get(ip));
    const announced = this.#announced.get(ip);
    this.#announced.delete(ip);
    if (announced?.onAir === true && isOnWire(announced.planned)) await (await this.#announcer)?.withdraw(ip);
    this.#withdrawn(ip, 'notOwner');
  }

  /** The thread has stopped answering by itself. */
  onYielded(ip: string, claimant: Claimant): void {
    this.#options.log.warn('another host claims the address while ownership is uncertain, withdrawing', {
      ip,
      ...claimant,
    });
    this.#owned.delete(ip);
    this.#announced.delete(ip);
    this.#withdrawn(ip, 'yielded');
    this.#ownership?.doubt(ip);
  }

  onConflict(ip: string, claimant: Claimant): void {
    const announced = this.#announced.get(ip);
    if (announced !== undefined) this.#complain(announced.planned, claimant);
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    await (await this.#announcer?.catch(() => undefined))?.stop();
  }

  async #start(): Promise<Announcer> {
    const announcer = await this.#options.startAnnouncer();
    announcer.setFence(this.#until);
    return announcer;
  }

  #tellOwnership(): void {
    const plan = new Map<string, readonly string[]>();
    for (const [ip, planned] of this.#plan) {
      const able = !this.#isOurs(planned) || !isOnWire(planned) || this.#canReach(planned);
      this.#tellAbility(planned, able);
      plan.set(ip, able ? planned.order : planned.order.filter((node) => node !== this.#options.node));
    }
    this.#ownership?.setPlan(plan, (ip, node, other) => {
      const scores = this.#plan.get(ip)?.scores;
      return (scores?.get(node) ?? 0) > (scores?.get(other) ?? 0);
    });
  }

  /** An address that nobody announces for want of an interface would be a riddle. Told once, by the node whose turn it is. */
  #tellAbility(planned: PlannedAddress, able: boolean): void {
    const ip = planned.address.text;
    const { node, log } = this.#options;
    if (able || this.#links === undefined || planned.order[0] !== node) return void this.#unable.delete(ip);
    if (this.#unable.has(ip)) return;
    this.#unable.add(ip);
    const wanted = this.#interfacesOf(planned);
    const message =
      wanted === undefined
        ? `no interface of node "${node}" is up with carrier, "${ip}" is left to other nodes`
        : `the interfaces specified by LB IP "${ip}" doesn't exist in assigned node "${node}" with protocol "layer2"`;
    log.warn('cannot announce from this node', {
      event: 'announceFailed',
      ip,
      interfaces: wanted ?? 'all',
      error: message,
    });
    for (const { service } of planned.services)
      this.#record(service, { type: 'Warning', reason: 'announceFailed', message });
  }

  #isOurs(planned: PlannedAddress): boolean {
    return planned.interfaces.has(this.#options.node);
  }

  #canReach(planned: PlannedAddress): boolean {
    const wanted = this.#interfacesOf(planned);
    return (this.#links ?? []).some((name) => wanted === undefined || wanted.includes(name));
  }

  #interfacesOf(planned: PlannedAddress): readonly string[] | undefined {
    return planned.interfaces.get(this.#options.node);
  }

  async #take(ip: string): Promise<void> {
    const planned = this.#plan.get(ip);
    if (planned === undefined) return;
    if (isOnWire(planned)) {
      const announcer = await this.#announcer;
      const claimant = await announcer?.probe(ip, this.#interfacesOf(planned));
      if (!this.#owned.has(ip)) return;
      if (claimant !== undefined) {
        this.#announced.set(ip, { planned, onAir: false });
        this.#complain(planned, claimant);
        this.#timers.set(
          ip,
          setTimeout(() => this.#owned.has(ip) && this.onAcquired(ip), CONFLICT_RETRY_MS),
        );
        return;
      }
      announcer?.announce(ip, this.#interfacesOf(planned));
    }
    const current = this.#plan.get(ip) ?? planned;
    this.#announced.set(ip, { planned: current, onAir: true });
    this.#tell(current);
    this.#tellNetwork(current);
  }

  /** Announcing it is right where a router sends it here; everywhere else the pool is a mistake that looks like a dead network. */
  #tellNetwork(planned: PlannedAddress): void {
    const { node, log, networks } = this.#options;
    const mine = networks();
    if (!isOnWire(planned) || isOnNetwork(planned.address, mine)) return;
    const ip = planned.address.text;
    const message =
      `address ${ip} is in no network of node "${node}" (${mine.join(', ')}): hosts do not ask for it by ARP ` +
      "unless a router sends it here; give the pool addresses of the nodes' network";
    log.warn('address is in no network of this node', { event: 'addressNotOnNetwork', ip, networks: mine });
    for (const { service } of planned.services)
      this.#record(service, { type: 'Warning', reason: 'AddressNotOnNetwork', message });
  }

  /** One line and one event for each service, when it begins and not again. */
  #tell(planned: PlannedAddress): void {
    const { log, node } = this.#options;
    for (const { service, key, nodes } of planned.services) {
      const ip = planned.address.text;
      if (!nodes.has(node) || this.#told.has(`${key} ${ip}`)) continue;
      this.#told.set(`${key} ${ip}`, service);
      log.info('service has IP, announcing', {
        event: 'serviceAnnounced',
        ip,
        pool: planned.pool,
        protocol: 'layer2',
        service: key,
      });
      this.#record(service, { type: 'Normal', reason: 'nodeAssigned', message: `announcing from node "${node}"` });
    }
  }

  #forgetUnplanned(): void {
    for (const key of this.#told.keys()) {
      const [service, ip = ''] = key.split(' ');
      const planned: PlannedService | undefined = this.#plan.get(ip)?.services.find((one) => one.key === service);
      if (planned === undefined || !planned.nodes.has(this.#options.node)) this.#withdrawn(ip, 'notAnnounced', service);
    }
  }

  #withdrawn(ip: string, reason: string, only?: string): void {
    for (const key of this.#told.keys()) {
      const [service, address] = key.split(' ');
      if (address !== ip || (only !== undefined && service !== only)) continue;
      this.#told.delete(key);
      this.#options.log.info('withdrawing service announcement', { event: 'serviceWithdrawn', ip, reason, service });
    }
  }

  #complain(planned: PlannedAddress, { mac, interface: link }: Claimant): void {
    const { log, node } = this.#options;
    const ip = planned.address.text;
    log.error('address is in use by another host', { event: 'addressInUse', ip, interface: link, mac });
    const message =
      `address ${ip} is already in use by the host with MAC ${mac} on ${link} of node "${node}"; ` +
      'give that host another address, or take this one out of the pool';
    for (const { service } of planned.services)
      this.#record(service, { type: 'Warning', reason: 'AddressInUse', message });
  }

  #record(object: Service, told: Pick<RecordEventInput, 'type' | 'reason' | 'message'>): void {
    const { client, log, node: host } = this.#options;
    void this.#pass(() => recordEvent({ client, log, object, component: 'metallb-speaker', host, ...told }));
  }
}
