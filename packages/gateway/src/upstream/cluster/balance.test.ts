import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { LoadBalancer } from '../../istio/traffic-policy/load-balancer.ts';
import { createBalancer } from './balance.ts';
import type { Balancer } from './balance.ts';
import { hashText, Host } from './host.ts';

function hosts(count: number): Host[] {
  return Array.from({ length: count }, (_, index) => new Host({ host: `10.0.0.${index + 1}`, port: 8080 }));
}

/** Numbers that come again and again. */
function cycle(...values: number[]): () => number {
  let next = 0;
  return () => values[next++ % values.length] ?? 0;
}

function balancer(policy: LoadBalancer, random = Math.random): Balancer {
  return createBalancer({ policy, random, now: () => 0 });
}

const HASH: LoadBalancer = { kind: 'hash', key: { kind: 'source-ip' } };

test('round robin gives each endpoint its turn', () => {
  const all = hosts(3);
  const chosen = balancer({ kind: 'round-robin' });
  const seen = [1, 2, 3, 4, 5, 6].map(() => all.indexOf(chosen.choose(all, undefined) ?? assert.fail()));
  assert.deepEqual(seen.toSorted(), [0, 0, 1, 1, 2, 2]);
});

test('least request takes the less busy of two', () => {
  const all = hosts(2);
  const [busy, idle] = all;
  if (busy === undefined) return assert.fail();
  busy.active = 5;
  assert.equal(balancer({ kind: 'least-request' }, cycle(0, 0.9)).choose(all, undefined), idle);
  assert.equal(balancer({ kind: 'least-request' }, cycle(0.9, 0)).choose(all, undefined), idle);
});

test('an endpoint that warms up gets its share little by little, others theirs at once', () => {
  const warmup = { durationMs: 1_000, minimumPercent: 10, aggression: 1 };
  const old = hosts(1);
  const fresh = new Host({ host: '10.0.0.9', port: 8080 }, 5_000);
  const shareAt = (at: number, policy: LoadBalancer): number => {
    let drawn = 0;
    // Evenly spread (golden ratio).
    const random = (): number => (drawn++ * 0.618_033_988_749_895) % 1;
    const chosen = createBalancer({ policy, random, now: () => at });
    const picks = Array.from({ length: 200 }, () => chosen.choose([...old, fresh], undefined));
    return picks.filter((host) => host === fresh).length;
  };
  const policy: LoadBalancer = { kind: 'round-robin', warmup };
  // Weights of 0.1, 0.5 and 1 beside one of 1.
  for (const [at, expected] of [
    [5_000, 18],
    [5_500, 67],
    [6_000, 100],
    [60_000, 100],
  ] as const) {
    assert.ok(Math.abs(shareAt(at, policy) - expected) <= 2, `${at}: ${shareAt(at, policy)}`);
  }
  const eager: LoadBalancer = { kind: 'round-robin', warmup: { ...warmup, aggression: 2 } };
  assert.ok(shareAt(5_250, eager) > shareAt(5_250, policy));
});

describe('consistent hashing', () => {
  const keys = Array.from({ length: 3000 }, (_, index) => hashText(`user-${index}@example.com`));

  test('leads a key to the same endpoint in whatever order they are listed', () => {
    const all = hosts(7);
    for (const key of keys.slice(0, 50)) {
      assert.equal(balancer(HASH).choose(all, key), balancer(HASH).choose(all.toReversed(), key));
    }
  });

  test('spreads keys evenly', () => {
    const all = hosts(5);
    const counts = all.map((host) => keys.filter((key) => balancer(HASH).choose(all, key) === host).length);
    for (const count of counts) assert.ok(count > 480 && count < 720, String(counts));
  });

  test('moves the keys of an endpoint that went, and no others', () => {
    const all = hosts(5);
    const rest = all.slice(1);
    for (const key of keys) {
      const before = balancer(HASH).choose(all, key);
      if (before !== all[0]) assert.equal(balancer(HASH).choose(rest, key), before);
    }
  });

  test('takes any endpoint for a request without a key', () => {
    const all = hosts(2);
    assert.equal(balancer(HASH, () => 0.9).choose(all, undefined), all[1]);
  });
});
