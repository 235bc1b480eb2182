/** Owns what every session store of the AuthService must do. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { TestContext } from 'node:test';
import type { SessionStore } from '../../authservice/src/session/session-store.ts';
import type { SessionListener } from '../../oidc/src/session/session-memory.ts';
import type { StoredSession } from '../../oidc/src/session/session.ts';

const LATER = Date.UTC(2100, 0, 1, 12, 30, 15, 250);

export function sampleSession(seed: number, sealed = `sealed-${seed}`): StoredSession {
  return { id: seed.toString(16).padStart(64, '0'), sealed, expiresAtMs: LATER };
}

/** Without the store's own mark. */
function plain(stored: StoredSession | undefined): StoredSession | undefined {
  if (stored === undefined) return undefined;
  const { version: _mark, ...rest } = stored;
  return rest;
}

/** What a follower was told so far. */
export class Told implements SessionListener {
  readonly sessions: Map<string, StoredSession> = new Map();
  readonly #waiting = new Set<() => void>();

  put(stored: StoredSession): void {
    this.sessions.set(stored.id, stored);
    this.#wake();
  }

  remove(id: string): void {
    this.sessions.delete(id);
    this.#wake();
  }

  retain(ids: ReadonlySet<string>): void {
    for (const id of this.sessions.keys()) if (!ids.has(id)) this.sessions.delete(id);
    this.#wake();
  }

  lost(): void {
    this.sessions.clear();
  }

  found(): void {
    this.#wake();
  }

  /** Resolves when the condition holds after something was told. */
  async until(condition: (sessions: ReadonlyMap<string, StoredSession>) => boolean): Promise<void> {
    while (!condition(this.sessions)) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  #wake(): void {
    for (const resolve of this.#waiting) resolve();
    this.#waiting.clear();
  }
}

export interface SessionStoreUnderTest {
  /** Opens another handle on the same sessions, as another replica or a restarted process would. */
  open(): Promise<SessionStore>;
  /** Whether handles that are open at the same time tell each other. */
  readonly shared: boolean;
}

/** Declares the tests; `setUp` gives an empty place for sessions. */
export function testSessionStore(name: string, setUp: (t: TestContext) => Promise<SessionStoreUnderTest>): void {
  const opened = async (t: TestContext): Promise<{ store: SessionStore; place: SessionStoreUnderTest }> => {
    const place = await setUp(t);
    const store = await place.open();
    t.after(() => store.close?.());
    return { store, place };
  };
  const following = async (t: TestContext, store: SessionStore): Promise<Told> => {
    const abort = new AbortController();
    t.after(() => abort.abort());
    const told = new Told();
    await store.follow(told, abort.signal);
    return told;
  };

  describe(`session store: ${name}`, () => {
    test('gives back what was written', async (t) => {
      const { store } = await opened(t);
      assert.equal(await store.get(sampleSession(1).id), undefined);
      assert.equal(await store.write(sampleSession(1)), true);
      assert.deepEqual(plain(await store.get(sampleSession(1).id)), sampleSession(1));
    });

    test('creates an id once', async (t) => {
      const { store } = await opened(t);
      await store.write(sampleSession(1, 'first'));
      assert.equal(await store.write(sampleSession(1, 'second')), false);
      assert.equal((await store.get(sampleSession(1).id))?.sealed, 'first');
    });

    test('an update changes what exists and brings nothing back', async (t) => {
      const { store } = await opened(t);
      assert.equal(await store.write(sampleSession(1), sampleSession(1)), false);
      assert.equal(await store.get(sampleSession(1).id), undefined);
      await store.write(sampleSession(1, 'first'));
      const first = await store.get(sampleSession(1).id);
      assert.equal(await store.write({ ...sampleSession(1, 'second'), expiresAtMs: LATER - 1000 }, first), true);
      assert.equal(await store.write(sampleSession(1, 'third'), first), false);
      assert.deepEqual(plain(await store.get(sampleSession(1).id)), {
        ...sampleSession(1, 'second'),
        expiresAtMs: LATER - 1000,
      });
    });

    test('deleting is final and may be repeated', async (t) => {
      const { store } = await opened(t);
      await store.write(sampleSession(1));
      await store.delete(sampleSession(1).id);
      await store.delete(sampleSession(1).id);
      await store.delete(sampleSession(2).id);
      assert.equal(await store.get(sampleSession(1).id), undefined);
      assert.equal(await store.write(sampleSession(1), sampleSession(1)), false);
    });

    test('of concurrent creates of one id exactly one wins', async (t) => {
      const { store } = await opened(t);
      const made = await Promise.all(
        Array.from({ length: 10 }, (_, index) => store.write(sampleSession(1, `by ${index}`))),
      );
      assert.equal(made.filter(Boolean).length, 1);
    });

    test('of concurrent changes of one session exactly one wins', async (t) => {
      const { store, place } = await opened(t);
      await store.write(sampleSession(1));
      const other = place.shared ? await place.open() : store;
      if (other !== store) t.after(() => other.close?.());
      const before = await store.get(sampleSession(1).id);
      const changed = await Promise.all(
        Array.from({ length: 10 }, (_, index) =>
          (index % 2 === 0 ? store : other).write(sampleSession(1, `by-${index}`), before),
        ),
      );
      assert.equal(changed.filter(Boolean).length, 1);
      assert.equal((await store.get(sampleSession(1).id))?.sealed, `by-${changed.indexOf(true)}`);
    });

    test('keeps long values whole', async (t) => {
      const { store } = await opened(t);
      const long = sampleSession(1, 'A'.repeat(60_000));
      await store.write(long);
      assert.deepEqual(plain(await store.get(long.id)), long);
    });

    test('tells a restarted process of what there was', async (t) => {
      const { store, place } = await opened(t);
      await store.write(sampleSession(1));
      await store.write(sampleSession(2));
      await store.delete(sampleSession(1).id);
      const again = await place.open();
      t.after(() => again.close?.());
      assert.deepEqual(plain(await again.get(sampleSession(2).id)), sampleSession(2));
      const told = await following(t, again);
      assert.deepEqual([...told.sessions.values()].map(plain), [sampleSession(2)]);
    });

    test('tells other replicas of what ends', async (t) => {
      const { store, place } = await opened(t);
      if (!place.shared) return t.skip('one process only');
      const other = await place.open();
      t.after(() => other.close?.());
      await store.write(sampleSession(1));
      const told = await following(t, other);
      await told.until((sessions) => sessions.has(sampleSession(1).id));
      await store.write(sampleSession(2));
      await told.until((sessions) => sessions.has(sampleSession(2).id));
      await store.delete(sampleSession(1).id);
      await told.until((sessions) => !sessions.has(sampleSession(1).id));
      assert.equal(await other.get(sampleSession(1).id), undefined);
    });
  });
}
