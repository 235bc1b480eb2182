import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger, systemRandom } from '@kfctl/core';
import { signJwt, verifyJwt } from '@kfctl/oidc';
import { createMemoryStorage } from '../storage/memory/memory-storage.ts';
import type { Storage } from '../storage/storage.ts';
import { openKeyRing } from './key-ring.ts';
import type { KeyRing } from './key-ring.ts';

const HOUR = 3_600_000;

class World {
  now = 1_700_000_000_000;
  algorithm: 'RS256' | 'ES256' = 'ES256';
  readonly storage: Storage = createMemoryStorage();

  open(): Promise<KeyRing> {
    return openKeyRing({
      storage: this.storage,
      clock: { now: () => this.now },
      random: systemRandom,
      log: silentLogger,
      policy: () => ({
        algorithm: this.algorithm,
        rotationPeriodMs: 6 * HOUR,
        tokenLifetimeMs: 24 * HOUR,
        requestLifetimeMs: 24 * HOUR,
      }),
    });
  }
}

test('replicas that start together agree on one key', async () => {
  const world = new World();
  const rings = await Promise.all([world.open(), world.open(), world.open()]);
  assert.equal(new Set(rings.map((ring) => ring.current().signingKey.kid)).size, 1);
  assert.match(rings[0]?.current().signingKey.kid ?? '', /^[0-9a-f]{40}$/);
});

test('does not rotate before its time, and rotates once for all replicas', async () => {
  const world = new World();
  const [left, right] = [await world.open(), await world.open()];
  const first = left.current().signingKey.kid;
  world.now += 6 * HOUR - 1;
  await left.tick();
  assert.equal(left.current().signingKey.kid, first);
  world.now += 1;
  await Promise.all([left.tick(), right.tick()]);
  assert.notEqual(left.current().signingKey.kid, first);
  assert.equal(left.current().signingKey.kid, right.current().signingKey.kid);
  assert.deepEqual(
    right.current().jwks.map((jwk) => jwk.kid),
    [right.current().signingKey.kid, first],
  );
});

test('an old token verifies until it expires, then its key is no longer published', async () => {
  const world = new World();
  const ring = await world.open();
  const exp = (world.now + 24 * HOUR) / 1000;
  const token = signJwt({ iss: 'i', exp }, ring.current().signingKey);
  const verdict = (): string =>
    verifyJwt(token, { keys: ring.current().verificationKeys, issuer: 'i', nowMs: world.now }).kind;
  world.now += 6 * HOUR;
  await ring.tick();
  assert.equal(verdict(), 'valid');
  for (let count = 0; count < 5; count += 1) {
    world.now += 6 * HOUR;
    await ring.tick();
  }
  assert.equal(verdict(), 'invalid');
  assert.equal(ring.current().jwks.length, 4 + 1);
});

test('a replica finds the key that another one made when it meets a token of it', async () => {
  const world = new World();
  const [left, right] = [await world.open(), await world.open()];
  world.now += 7 * HOUR;
  await left.tick();
  const { kid } = left.current().signingKey;
  await right.ensureKnown(kid);
  assert.equal(right.current().signingKey.kid, kid);
});

test('invented key ids do not make a replica ask the storage again and again', async () => {
  const world = new World();
  let reads = 0;
  const { get } = world.storage;
  const ring = await world.open();
  Object.assign(world.storage, { get: (...args: Parameters<typeof get>) => ((reads += 1), get(...args)) });
  world.now += 2000;
  for (let count = 0; count < 100; count += 1) await ring.ensureKnown(`kid-${count}`);
  assert.equal(reads, 1);
});

test('another algorithm takes effect with the next key', async () => {
  const world = new World();
  const ring = await world.open();
  world.algorithm = 'RS256';
  world.now += 6 * HOUR;
  await ring.tick();
  assert.deepEqual(
    ring.current().jwks.map((jwk) => jwk.alg),
    ['RS256', 'ES256'],
  );
});

test('sealed values open for their purpose only, across a rotation, and not when touched', async () => {
  const world = new World();
  const ring = await world.open();
  const sealed = ring.current().sealer.seal('login', { a: 'é' });
  world.now += 6 * HOUR;
  await ring.tick();
  const { sealer } = ring.current();
  assert.deepEqual(sealer.open('login', sealed), { a: 'é' });
  assert.equal(sealer.open('callback', sealed), undefined);
  for (const broken of [
    '',
    'AAAA',
    sealed.slice(0, -2),
    `A${sealed.slice(1)}`,
    `${sealed}AA`,
    `${sealed}=`,
    'x'.repeat(20_000),
  ]) {
    assert.equal(sealer.open('login', broken), undefined);
  }
  for (let index = 0; index < sealed.length - 1; index += 5) {
    const changed = sealed.slice(0, index) + (sealed[index] === 'A' ? 'B' : 'A') + sealed.slice(index + 1);
    assert.equal(sealer.open('login', changed), undefined);
  }
});

test('takes over keys of an installation without a sealing key', async () => {
  const world = new World();
  await world.open();
  await world.storage.update('keys', 'openid-connect-keys', (record) => ({ ...record, sealingKeys: [] }));
  const ring = await world.open();
  assert.deepEqual(ring.current().sealer.open('p', ring.current().sealer.seal('p', { x: 1 })), { x: 1 });
});
