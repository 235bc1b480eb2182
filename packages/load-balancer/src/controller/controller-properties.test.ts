import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Service } from '@kfctl/kube';
import { Allocator } from '../allocate/allocator.ts';
import { parsePoolConfig } from '../pools/parse-pool-config.ts';
import type { Pool } from '../pools/pool.ts';
import { poolOf } from '../pools/pool.ts';
import { parseAddress } from '../address/address.ts';
import { adoptAll, byAge, convergeService } from './converge-service.ts';
import { parseWish, serviceKey } from './service-wish.ts';

const ANYWHERE = { loadBalancerClass: '', labelsOf: () => ({}) };

const EVENTS = 10_000;
const CONFIGS = ['10.0.0.0-10.0.0.5', '10.0.0.3-10.0.0.9', '10.0.0.0/29', '10.0.1.0/30', '10.0.0.0-10.0.0.1'];

/** A reproducible source of small numbers. */
function createDice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

function poolsOf(addresses: string): readonly Pool[] {
  const parsed = parsePoolConfig(
    `address-pools:\n- {name: auto, protocol: layer2, addresses: ["${addresses}"]}\n- {name: manual, protocol: layer2, auto-assign: false, addresses: [10.9.0.0/31]}\n`,
  );
  assert.ok(parsed.kind === 'pools');
  return parsed.pools;
}

/** A small cluster: services with their status, and a controller that can be restarted. */
class World {
  readonly services = new Map<string, Service>();
  readonly dice: (sides: number) => number;
  allocator = new Allocator();
  pools = poolsOf(CONFIGS[0] ?? '');

  constructor(seed: number) {
    this.dice = createDice(seed);
    this.allocator.setPools(this.pools);
  }

  step(): void {
    const name = `s${this.dice(12)}`;
    switch (this.dice(10)) {
      case 0:
        return this.remove(name);
      case 1:
        return this.reload();
      case 2:
        return this.restart();
      default:
        return this.put(name);
    }
  }

  put(name: string): void {
    const former = this.services.get(name);
    const requested =
      this.dice(4) === 0 ? { loadBalancerIP: ['10.0.0.2', '10.9.0.0', '10.7.7.7', 'garbage'][this.dice(4)] ?? '' } : {};
    const annotations: Record<string, string> = {
      ...(this.dice(3) === 0 ? { 'metallb.universe.tf/allow-shared-ip': `k${this.dice(2)}` } : {}),
      ...(this.dice(6) === 0 ? { 'metallb.io/address-pool': this.dice(2) === 0 ? 'manual' : 'auto' } : {}),
    };
    const service: Service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: {
        name,
        namespace: 'd',
        creationTimestamp: former?.metadata.creationTimestamp ?? String(this.dice(1_000_000)),
        annotations,
      },
      spec: {
        type: this.dice(10) === 0 ? 'ClusterIP' : 'LoadBalancer',
        clusterIP: '10.96.0.1',
        ports: [{ port: [80, 443][this.dice(2)] ?? 80 }],
        externalTrafficPolicy: this.dice(4) === 0 ? 'Local' : 'Cluster',
        selector: { app: `a${this.dice(2)}` },
        ...requested,
      },
      ...(former?.status === undefined ? {} : { status: former.status }),
    };
    this.services.set(name, service);
    this.converge(service);
    this.settle();
  }

  remove(name: string): void {
    if (this.services.delete(name)) this.allocator.release(`d/${name}`);
    this.settle();
  }

  reload(): void {
    this.pools = poolsOf(CONFIGS[this.dice(CONFIGS.length)] ?? '');
    this.allocator.setPools(this.pools);
    this.settle();
  }

  /** A new process knows the statuses and nothing else. */
  restart(): void {
    const before = this.state();
    this.allocator = new Allocator();
    this.allocator.setPools(this.pools);
    const shuffled = [...this.services.values()].toSorted(() => this.dice(3) - 1);
    adoptAll(shuffled, this.allocator, ANYWHERE);
    for (const service of shuffled) this.converge(service);
    this.settle();
    for (const [name, text] of Object.entries(before))
      if (text !== '') assert.equal(this.state()[name], text, `${name} lost its address in a restart`);
  }

  settle(): void {
    for (const service of this.services.values()) this.converge(service);
  }

  converge(service: Service): void {
    const decision = convergeService(service, this.allocator, ANYWHERE);
    if (decision.kind === 'assigned')
      service.status = { loadBalancer: { ingress: decision.addresses.map(({ text }) => ({ ip: text })) } };
    else if (
      decision.kind === 'clear' ||
      decision.kind === 'waiting' ||
      (decision.kind === 'invalid' && !decision.keeps)
    )
      delete service.status;
  }

  state(): Record<string, string> {
    return Object.fromEntries([...this.services].map(([name, service]) => [name, addressOf(service)]));
  }
}

function addressOf(service: Service): string {
  return service.status?.loadBalancer?.ingress?.[0]?.ip ?? '';
}

function assertNoTheft(world: World): void {
  const served = [...world.services.values()].filter((service) => addressOf(service) !== '');
  for (const service of served) {
    const address = parseAddress(addressOf(service));
    assert.ok(
      address !== undefined && poolOf(world.pools, address) !== undefined,
      `${serviceKey(service)} has an address of no pool`,
    );
    assert.equal(service.spec?.type, 'LoadBalancer');
  }
  for (const [index, left] of served.entries()) {
    for (const right of served.slice(index + 1)) if (addressOf(left) === addressOf(right)) assertMayShare(left, right);
  }
}

function assertMayShare(left: Service, right: Service): void {
  const [one, two] = [parseWish(left), parseWish(right)];
  assert.ok(one.kind !== 'early' && two.kind !== 'early');
  const agreed =
    one.wish.sharingKey !== '' &&
    one.wish.sharingKey === two.wish.sharingKey &&
    one.wish.backendKey === two.wish.backendKey;
  assert.ok(
    agreed && !one.wish.ports.some((port) => two.wish.ports.includes(port)),
    `${serviceKey(left)} and ${serviceKey(right)} may not share ${addressOf(left)}`,
  );
}

it(`${EVENTS} random events never give one address to two services that may not share it, and restarts change nothing`, () => {
  for (let seed = 1; seed <= 20; seed += 1) {
    const world = new World(seed);
    for (let event = 0; event < EVENTS / 20; event += 1) {
      world.step();
      assertNoTheft(world);
    }
  }
});

it('what services have in the end does not depend on the order in which they were seen', () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const world = new World(seed);
    for (let event = 0; event < 60; event += 1) world.step();
    // A new controller that meets a changed configuration: some keep their address, some lose it, some have waited.
    world.pools = poolsOf(CONFIGS[seed % CONFIGS.length] ?? '');
    const states = Array.from({ length: 6 }, () => {
      const copies = [...world.services.values()].map((service) => structuredClone(service));
      const shuffled = copies.toSorted(() => world.dice(3) - 1);
      const fresh = new World(seed);
      fresh.pools = world.pools;
      fresh.allocator = new Allocator();
      fresh.allocator.setPools(world.pools);
      for (const service of shuffled) fresh.services.set(service.metadata.name ?? '', service);
      adoptAll(shuffled, fresh.allocator, ANYWHERE);
      for (const service of byAge(shuffled)) fresh.converge(service);
      for (const service of byAge(shuffled)) fresh.converge(service);
      return Object.entries(fresh.state()).toSorted();
    });
    for (const state of states) assert.deepEqual(state, states[0], `seed ${seed}`);
  }
});

it('services that wait get what is freed', () => {
  const world = new World(3);
  world.pools = poolsOf('10.0.0.0/32');
  world.allocator.setPools(world.pools);
  for (const name of ['a', 'b']) {
    world.services.set(name, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'd' },
      spec: { type: 'LoadBalancer', clusterIP: '10.96.0.1', ports: [{ port: 80 }] },
    });
  }
  world.settle();
  assert.deepEqual(world.state(), { a: '10.0.0.0', b: '' });
  world.remove('a');
  assert.deepEqual(world.state(), { b: '10.0.0.0' });
});
