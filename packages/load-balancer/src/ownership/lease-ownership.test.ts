import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { delay, silentLogger } from '@kfctl/core';
import { createInformer, resources } from '@kfctl/kube';
import { MemoryKubeClient } from '@kfctl/testkit';
import { LeaseOwnership } from './lease-ownership.ts';
import { rankNodes } from './election.ts';
import { LEASE_SELECTOR, suitorOf } from './speaker-lease.ts';

const IP = '10.0.0.101';
const TIMING = { renewMs: 30, fenceMs: 90, expiryMs: 150, settleMs: 100 };

interface Member {
  readonly name: string;
  readonly ownership: LeaseOwnership;
  readonly owned: Set<string>;
  readonly isCertain: () => boolean;
  /** As kill -9: no word any more, to nobody. */
  die(): void;
  /** Cut off from the API server, and alive. */
  cut: { off: boolean };
}

async function join(context: TestContext, cluster: MemoryKubeClient, name: string, timing = TIMING): Promise<Member> {
  const abort = new AbortController();
  const cut = { off: false };
  const guard = async <T>(act: () => Promise<T>): Promise<T> => {
    if (cut.off) throw new Error('cannot reach the API server');
    return act();
  };
  const client: ConstructorParameters<typeof LeaseOwnership>[0]['client'] = {
    get: (...args) => guard(() => cluster.get(...args)),
    list: (...args) => guard(() => cluster.list(...args)),
    create: (...args) => guard(() => cluster.create(...args)),
    replace: (...args) => guard(() => cluster.replace(...args)),
    delete: (...args) => guard(() => cluster.delete(...args)),
  };
  const leases = createInformer({
    client: cluster,
    type: resources.leases,
    namespace: 'm',
    labelSelector: LEASE_SELECTOR,
    log: silentLogger,
  });
  leases.start(abort.signal);
  await leases.synced;
  const owned = new Set<string>();
  let certainUntil = 0n;
  const ownership = new LeaseOwnership({
    client,
    leases,
    namespace: 'm',
    node: name,
    log: silentLogger,
    timing,
    listener: {
      onAcquired: (address) => void owned.add(address),
      onLost: async (address) => void owned.delete(address),
      onCertain: (until) => (certainUntil = until),
    },
  });
  const leave = async (): Promise<void> => {
    await ownership.stop();
    abort.abort();
  };
  context.after(leave);
  return {
    name,
    ownership,
    owned,
    cut,
    isCertain: () => process.hrtime.bigint() < certainUntil,
    die: () => {
      cut.off = true;
      owned.clear();
      abort.abort();
    },
  };
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let round = 0; round < 1000; round += 1) {
    if (isTrue()) return;
    await delay(5);
  }
  assert.fail('did not happen');
}

async function group(
  context: TestContext,
): Promise<{ cluster: MemoryKubeClient; members: Member[]; owner(): Promise<Member> }> {
  const cluster = new MemoryKubeClient();
  const members = await Promise.all(['a', 'b', 'c'].map((name) => join(context, cluster, name)));
  for (const { ownership } of members) ownership.setPlan(new Map([[IP, rankNodes(['a', 'b', 'c'], IP)]]));
  await until(() => members.some(({ owned }) => owned.has(IP)));
  const certain = (): Member[] => members.filter(({ owned, isCertain }) => owned.has(IP) && isCertain());
  /** Exactly one, once it is certain: a busy machine may renew late, and an owner in doubt is none. */
  const owner = async (): Promise<Member> => {
    await until(() => certain().length > 0);
    const [only, ...others] = certain();
    assert.deepEqual(others, []);
    return only ?? assert.fail('no owner');
  };
  return { cluster, members, owner };
}

describe('ownership by leases', () => {
  it('gives an address to one node, the preferred one', async (t) => {
    const { owner } = await group(t);
    assert.equal((await owner()).name, rankNodes(['a', 'b', 'c'], IP)[0]);
  });

  it('moves it when the owner dies, and leaves it there when the old owner is back', async (t) => {
    const { cluster, members, owner } = await group(t);
    const old = await owner();
    old.die();
    await until(() => members.some((member) => member !== old && member.owned.has(IP)));
    const heir = await owner();
    const back = await join(t, cluster, old.name);
    back.ownership.setPlan(new Map([[IP, rankNodes(['a', 'b', 'c'], IP)]]));
    await delay(TIMING.expiryMs * 2);
    assert.equal(await owner(), heir);
    assert.equal(back.owned.size, 0);
  });

  it('hands over at once when the owner stops', async (t) => {
    const { members, owner } = await group(t);
    const old = await owner();
    old.owned.clear();
    await old.ownership.stop();
    await until(() => members.some((member) => member !== old && member.owned.has(IP)));
  });

  it('is never certain at two nodes, also when the owner cannot reach the API server', async (t) => {
    const { members, owner } = await group(t);
    const old = await owner();
    old.cut.off = true;
    await until(() => {
      const certain = members.filter(({ owned, isCertain }) => owned.has(IP) && isCertain());
      assert.ok(certain.length <= 1);
      return members.some((member) => member !== old && member.owned.has(IP));
    });
    assert.equal(old.isCertain(), false);
    old.cut.off = false;
    await until(() => !old.owned.has(IP));
    assert.notEqual(await owner(), old);
  });

  it('keeps what it has while nobody can reach the API server', async (t) => {
    const { members, owner } = await group(t);
    const old = await owner();
    for (const { cut } of members) cut.off = true;
    await until(() => !old.isCertain());
    await delay(TIMING.expiryMs * 2);
    assert.deepEqual(
      members.filter(({ owned }) => owned.has(IP)),
      [old],
    );
    for (const { cut } of members) cut.off = false;
    await until(() => members.some(({ owned, isCertain }) => owned.has(IP) && isCertain()));
    await owner();
  });

  it('gives an address back that is not planned here any more, and forgets one that nobody plans', async (t) => {
    const { cluster, members, owner } = await group(t);
    const old = await owner();
    const others = ['a', 'b', 'c'].filter((name) => name !== old.name);
    for (const { ownership } of members) ownership.setPlan(new Map([[IP, others]]));
    await until(() => members.some((member) => member !== old && member.owned.has(IP)));
    assert.equal(old.owned.has(IP), false);
    for (const { ownership } of members) ownership.setPlan(new Map());
    await until(() => members.every(({ owned }) => owned.size === 0));
    for (
      let round = 0;
      round < 200 && (await cluster.get(resources.leases, `l2-${IP}`, { namespace: 'm' }));
      round += 1
    )
      await delay(5);
    assert.equal(await cluster.get(resources.leases, `l2-${IP}`, { namespace: 'm' }), undefined);
  });

  it('brings an address to the preferred node once that has settled, and back there after a failure', async (t) => {
    const { cluster, members, owner } = await group(t);
    const former = await owner();
    const [best, other] = members.filter((member) => member !== former);
    assert.ok(best !== undefined && other !== undefined);
    const plan = new Map([[IP, [best.name, former.name, other.name]]]);
    const outranks = (_ip: string, node: string, rival: string): boolean => node === best.name && rival !== best.name;
    for (const { ownership } of members) ownership.setPlan(plan, outranks);
    await until(() => best.owned.has(IP));
    assert.equal(await owner(), best);
    assert.equal(former.owned.has(IP), false);
    best.die();
    await until(() => former.owned.has(IP) || other.owned.has(IP));
    const returned = await join(t, cluster, best.name);
    returned.ownership.setPlan(plan, outranks);
    await until(() => returned.owned.has(IP));
    await until(() => members.every(({ owned }) => !owned.has(IP)));
    const lease = await cluster.get(resources.leases, `l2-${IP}`, { namespace: 'm' });
    assert.equal(suitorOf(lease), '', 'the request went with the move');
  });

  it('moves nothing between nodes that are preferred alike', async (t) => {
    const { members, owner } = await group(t);
    const former = await owner();
    const order = ['a', 'b', 'c'].filter((name) => name !== former.name).concat(former.name);
    for (const { ownership } of members) ownership.setPlan(new Map([[IP, order]]), () => false);
    await delay(TIMING.settleMs * 3);
    assert.equal(await owner(), former);
  });

  it('costs no more renewals for many addresses than for one', async (t) => {
    const cluster = new MemoryKubeClient();
    // Slow enough for a busy machine: a claim that comes late is made again.
    const member = await join(t, cluster, 'a', { ...TIMING, fenceMs: 5000, expiryMs: 6000 });
    const addresses = Array.from({ length: 300 }, (_, index) => `10.0.${index >> 8}.${index & 255}`);
    member.ownership.setPlan(new Map(addresses.map((address) => [address, ['a']])));
    await until(() => member.owned.size === 300);
    const renewed = cluster.calls.filter(({ name, verb }) => verb === 'replace' && name.startsWith('l2-'));
    assert.equal(renewed.length, 0);
  });
});
