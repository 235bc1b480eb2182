/** Owns the rows about the published keys and their rotation. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { delay } from '@kfctl/core';
import { loginForTokens } from '../test-identity.ts';
import type { TestIdentity, TestOptions } from '../test-identity.ts';
import { held } from './held-by.ts';
import type { Section } from './row.ts';
import { ask } from './servers.ts';
import type { Servers } from './servers.ts';

const HOUR = 3_600_000;

type Jwk = Readonly<Record<string, string>>;

async function keysOf(identity: TestIdentity): Promise<readonly Jwk[]> {
  return (JSON.parse((await ask(identity, '/dex/keys')).body) as { keys: Jwk[] }).keys;
}

function headerOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>;
}

/** Options of servers that share one storage; each looks at the keys when it starts. */
function sharedStorage(servers: Servers, more: TestOptions = {}): TestOptions {
  const directory = mkdtempSync(path.join(tmpdir(), 'identity-keys-'));
  servers.after(() => rmSync(directory, { recursive: true, force: true }));
  return { storage: `type: sqlite3, config: {file: ${path.join(directory, 'dex.db')}}`, ...more };
}

async function restarted(servers: Servers, options: TestOptions, now: number): Promise<TestIdentity> {
  return await servers.fresh({ ...options, now });
}

/** Asks until the work that a start begins has been done. */
async function eventually(identity: TestIdentity, isSo: (keys: readonly Jwk[]) => boolean): Promise<readonly Jwk[]> {
  const deadline = Date.now() + 10_000;
  for (;;) {
    const keys = await keysOf(identity);
    if (isSo(keys)) return keys;
    if (Date.now() > deadline) throw new Error(`keys stay ${JSON.stringify(keys.map(({ kid }) => kid))}`);
    await delay(10);
  }
}

export const KEYS: Section = {
  id: '2.3',
  title: 'Keys',
  rows: [
    {
      id: 'form',
      fact: '/keys is {"keys": […]} with public halves only: kid of 40 hex digits, use sig, the algorithm.',
      stand: 'kept',
      proof: async (servers) => {
        const [key = {}] = await keysOf(await servers.at());
        assert.match(key['kid'] ?? '', /^[0-9a-f]{40}$/);
        assert.equal(key['use'], 'sig');
        assert.equal(key['alg'], 'ES256');
        for (const secret of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) assert.ok(!(secret in key), secret);
      },
    },
    {
      id: 'cache',
      fact: 'Answers of /keys may be kept for 600 s and must then be asked for again.',
      stand: 'kept',
      dex: 'Since 2.45; before it until the next rotation.',
      proof: async (servers) => {
        const { headers } = await ask(await servers.at(), '/dex/keys');
        assert.equal(headers['cache-control'], 'max-age=600, must-revalidate');
      },
    },
    {
      id: 'never-empty',
      fact: 'From the first answer on there is a key, and it is the one that tokens name.',
      stand: 'safer',
      dex: 'A page with 500 until the first key is made.',
      why: 'The first key is made, or found in the storage, before anything is served.',
      proof: async (servers) => {
        const identity = await servers.fresh();
        const [key] = await keysOf(identity);
        assert.equal(headerOf((await loginForTokens(identity)).id_token)['kid'], key?.['kid']);
      },
    },
    {
      id: 'rsa',
      fact: 'Without a signer section the key is RSA with 2048 bits, for RS256.',
      stand: 'kept',
      proof: async (servers) => {
        const [key = {}] = await keysOf(await servers.at({ signer: '' }));
        assert.equal(`${key['kty']} ${key['alg']}`, 'RSA RS256');
        assert.equal(Buffer.from(key['n'] ?? '', 'base64url').length, 256);
      },
    },
    {
      id: 'ecdsa',
      fact: 'With ES256 the key is on P-256.',
      stand: 'kept',
      dex: '2.45 signs with RSA only; later versions as here.',
      follows: 'head',
      proof: async (servers) => {
        const [key = {}] = await keysOf(await servers.at());
        assert.equal(`${key['kty']} ${key['crv']}`, 'EC P-256');
      },
    },
    {
      id: 'not-before-time',
      fact: 'A key signs for 6 h and not a minute less.',
      stand: 'kept',
      proof: async (servers) => {
        const options = sharedStorage(servers);
        const first = await servers.fresh(options);
        const before = await keysOf(first);
        const later = await restarted(servers, options, first.now + 6 * HOUR - 60_000);
        // A login takes longer than the look at the keys that a start begins with.
        await loginForTokens(later);
        assert.deepEqual(await keysOf(later), before);
      },
    },
    {
      id: 'period',
      fact: 'expiry.signingKeys is another time; signer.config.keysRotationPeriod wins over it.',
      stand: 'kept',
      dex: '2.45 has expiry.signingKeys; later versions both.',
      follows: 'head',
      proof: async (servers) => {
        const signer = 'signer: {config: {algorithm: ES256, keysRotationPeriod: 1h}}\n';
        for (const [hours, more] of [
          [2, { more: 'expiry: {signingKeys: 2h}\n' }],
          [1, { more: 'expiry: {signingKeys: 2h}\n', signer }],
        ] as const) {
          const options = sharedStorage(servers, more);
          const first = await servers.fresh(options);
          const later = await restarted(servers, options, first.now + hours * HOUR);
          await eventually(later, ({ length }) => length === 2);
          const again = await restarted(servers, options, first.now + 2 * hours * HOUR - 1000);
          await eventually(again, ({ length }) => length === 2);
        }
      },
    },
    {
      id: 'rotation',
      fact: 'When its time has come a new key signs; the old one stands behind it in /keys, and its tokens stay valid.',
      stand: 'kept',
      proof: async (servers) => {
        const options = sharedStorage(servers);
        const first = await servers.fresh(options);
        const [old] = await keysOf(first);
        const { access_token } = await loginForTokens(first);
        const later = await restarted(servers, options, first.now + 6 * HOUR);
        const keys = await eventually(later, ({ length }) => length === 2);
        assert.equal(keys[1]?.['kid'], old?.['kid']);
        assert.equal(headerOf((await loginForTokens(later)).id_token)['kid'], keys[0]?.['kid']);
        const authorization = `Bearer ${access_token}`;
        assert.equal((await later.fetch('/dex/userinfo', { headers: { authorization } })).status, 200);
      },
    },
    held({
      id: 'looked-at',
      fact: 'A server looks at the keys when it starts and every half minute after, and rotates once for all replicas.',
      stand: 'kept',
      by: [['src/keys/key-ring.test.ts', 'does not rotate before its time, and rotates once for all replicas']],
    }),
    {
      id: 'old-key-ends',
      fact: 'An old key is taken off the list when the last token that it signed has expired.',
      stand: 'kept',
      proof: async (servers) => {
        const options = sharedStorage(servers, { more: 'expiry: {idTokens: 10h}\n' });
        const first = await servers.fresh(options);
        const [old] = await keysOf(first);
        const rotated = await restarted(servers, options, first.now + 6 * HOUR);
        await eventually(rotated, ({ length }) => length === 2);
        const kept = await restarted(servers, options, first.now + 12 * HOUR);
        const three = await eventually(kept, ({ length }) => length === 3);
        assert.equal(three[2]?.['kid'], old?.['kid']);
        const dropped = await restarted(servers, options, first.now + 18 * HOUR);
        const left = await eventually(
          dropped,
          (keys) => keys.length === 3 && keys.every(({ kid }) => kid !== old?.['kid']),
        );
        assert.equal(left[1]?.['kid'], three[0]?.['kid']);
      },
    },
    {
      id: 'algorithm-change',
      fact: 'Another algorithm in the file counts from the next rotation on.',
      stand: 'kept',
      dex: '2.45 has one algorithm; later versions as here.',
      follows: 'head',
      proof: async (servers) => {
        const options = sharedStorage(servers);
        const first = await servers.fresh(options);
        const soon = await restarted(servers, { ...options, signer: '' }, first.now + HOUR);
        assert.equal((await keysOf(soon))[0]?.['alg'], 'ES256');
        const later = await restarted(servers, { ...options, signer: '' }, first.now + 7 * HOUR);
        const keys = await eventually(later, ({ length }) => length === 2);
        assert.deepEqual(
          keys.map(({ alg }) => alg),
          ['RS256', 'ES256'],
        );
      },
    },
    {
      id: 'replicas',
      fact: 'Replicas over one storage sign with one key: of several that rotate at once one wins, the others take its key.',
      stand: 'kept',
      proof: async (servers) => {
        const options = sharedStorage(servers);
        const first = await servers.fresh(options);
        const replicas = await Promise.all(
          Array.from({ length: 4 }, () => restarted(servers, options, first.now + 6 * HOUR)),
        );
        const lists = await Promise.all(replicas.map((replica) => eventually(replica, ({ length }) => length === 2)));
        const kids = new Set(lists.map(([current]) => current?.['kid']));
        assert.equal(kids.size, 1);
      },
    },
    {
      id: 'replicas-verify',
      fact: 'A token of one replica is taken by the others, also by one that has not seen the new key yet.',
      stand: 'kept',
      proof: async (servers) => {
        const options = sharedStorage(servers);
        const first = await servers.fresh(options);
        const later = await restarted(servers, options, first.now + 6 * HOUR);
        await eventually(later, ({ length }) => length === 2);
        const { access_token } = await loginForTokens(later);
        first.now += 2000;
        const headers = { authorization: `Bearer ${access_token}` };
        assert.equal((await first.fetch('/dex/userinfo', { headers })).status, 200);
      },
    },
  ],
};
