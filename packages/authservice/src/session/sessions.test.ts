import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Secret, silentLogger } from '@kfctl/core';
import { createSealer, createSessionTokens, sealSession, sessionIdOf } from '@kfctl/oidc';
import type { SessionListener, SessionRecord, StoredSession } from '@kfctl/oidc';
import type { SessionStore } from './session-store.ts';
import { Sessions } from './sessions.ts';

const secrets = [new Secret('k'.repeat(44))];
const sealer = createSealer({ secrets, purpose: 'session' });
const tokens = createSessionTokens({ secrets, random: (bytes) => Buffer.alloc(bytes, 7) });
const token = tokens.create();
const id = sessionIdOf(token);
const record: SessionRecord = {
  userId: 'a@example.com',
  groups: [],
  subject: 'a',
  createdAtMs: 0,
  expiresAtMs: 1_000_000,
  lastUsedAtMs: 0,
  userAgent: '',
  tokens: {},
};

interface Bed {
  readonly sessions: Sessions;
  /** Another replica ends the session: the store knows, and tells. */
  endElsewhere(): void;
}

/** `slow`: whose answers are on their way until the session was ended. */
async function openBed(slow: 'get' | 'write', isTold: boolean): Promise<Bed> {
  const stored = sealSession(id, record, sealer);
  const ended = Promise.withResolvers<void>();
  let held: StoredSession | undefined = stored;
  let told: SessionListener | undefined;
  const delayed = async <T>(which: 'get' | 'write', answer: T): Promise<T> => {
    if (which === slow) await ended.promise;
    return answer;
  };
  const store: SessionStore = {
    follow: async (listener) => {
      told = listener;
      if (isTold) listener.put(stored);
    },
    get: () => delayed('get', held),
    write: () => delayed('write', held !== undefined),
    delete: async () => undefined,
  };
  const clock = { now: () => 1_000 };
  const limits = { maxAgeMs: 1_000_000, idleTimeoutMs: Infinity };
  const sessions = new Sessions({ store, sealer, tokens, clock, log: silentLogger, ...limits });
  await sessions.open(new AbortController().signal);
  const endElsewhere = (): void => {
    held = undefined;
    told?.remove(id);
    ended.resolve();
  };
  return { sessions, endElsewhere };
}

describe('a session that another replica ends', () => {
  test('does not come back by an answer of the store that is older', async () => {
    const { sessions, endElsewhere } = await openBed('get', false);
    const looked = sessions.lookUp(token);
    endElsewhere();
    assert.equal(await looked, undefined);
    assert.equal(sessions.find(token), undefined);
  });

  test('does not come back by what was read of it to change it', async () => {
    const { sessions, endElsewhere } = await openBed('get', true);
    const read = sessions.tokensOf(id);
    endElsewhere();
    await read;
    assert.equal(sessions.find(token), undefined);
  });

  test('does not come back by a change that the store took before', async () => {
    const { sessions, endElsewhere } = await openBed('write', true);
    assert.notEqual(sessions.find(token), undefined);
    const renewed = sessions.renew(id, { tokens: { idToken: 'new' } });
    await new Promise((resolve) => setImmediate(resolve));
    endElsewhere();
    assert.equal(await renewed, undefined);
    assert.equal(sessions.find(token), undefined);
  });
});
