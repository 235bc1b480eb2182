import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HeldSessions, keyOf } from './held-session.ts';
import type { SessionRecord } from './session.ts';

const record = (index: number): SessionRecord => ({
  userId: `person-${index}@example.com`,
  groups: ['developers', 'a,b'],
  subject: `subject-${index}`,
  userAgent: `Browser ${index % 2}`,
  sid: `sid-${index}`,
  tokens: { refreshToken: 'r', accessTokenExpiresAtMs: 4_000 + index },
  createdAtMs: 1_000 + index,
  lastUsedAtMs: 2_000 + index,
  expiresAtMs: 3_000 + index,
});

const idOf = (index: number): string => index.toString(16).padStart(64, '0');

function fill(count: number): HeldSessions {
  const sessions = new HeldSessions();
  for (let index = 0; index < count; index += 1) sessions.set(keyOf(idOf(index)), record(index));
  return sessions;
}

test('every session is found again as it was, over blocks and places that were given back', () => {
  const sessions = fill(3_000);
  for (let index = 0; index < 3_000; index += 2) sessions.delete(keyOf(idOf(index)));
  for (let index = 3_000; index < 5_000; index += 1) sessions.set(keyOf(idOf(index)), record(index));
  assert.equal(sessions.size, 3_500);
  assert.equal(sessions.get(keyOf(idOf(2))), undefined);
  for (const index of [1, 1_023, 1_025, 2_999, 3_000, 4_999]) {
    const session = sessions.get(keyOf(idOf(index)));
    assert.ok(session);
    const { userId, groups, subject, userAgent, sid, tokens: _tokens, ...times } = record(index);
    assert.deepEqual(
      { userId: session.userId, groups: session.groups, subject: session.subject, userAgent: session.userAgent },
      { userId, groups, subject, userAgent },
    );
    const { createdAtMs, lastUsedAtMs, expiresAtMs } = session;
    assert.deepEqual({ createdAtMs, lastUsedAtMs, expiresAtMs }, times);
    assert.deepEqual([session.id, session.sid, session.storedUseAtMs], [idOf(index), sid, times.lastUsedAtMs]);
    assert.equal(session.refreshAtMs, 4_000 + index);
  }
});

test('what is written to one session changes no other, nor does what is written to one that has ended', () => {
  const sessions = fill(2);
  const [first, second] = [sessions.get(keyOf(idOf(0))), sessions.get(keyOf(idOf(1)))];
  assert.ok(first && second);
  first.lastUsedAtMs = 9_000;
  sessions.delete(keyOf(idOf(0)));
  const next = sessions.set(keyOf(idOf(7)), record(7));
  assert.equal(first.lastUsedAtMs, 9_000);
  first.refreshAtMs = 1;
  first.storedUseAtMs = 1;
  assert.deepEqual([next.lastUsedAtMs, next.refreshAtMs, next.storedUseAtMs], [2_007, 4_007, 2_007]);
  assert.deepEqual([second.lastUsedAtMs, second.refreshAtMs], [2_001, 4_001]);
  sessions.clear();
  assert.equal(sessions.size, 0);
  assert.equal(second.expiresAtMs, 3_001);
});

test('groups and browsers that are alike are held once; those that only look alike are not the same', () => {
  const sessions = fill(4);
  const groupsOf = (index: number): readonly string[] | undefined => sessions.get(keyOf(idOf(index)))?.groups;
  assert.equal(groupsOf(0), groupsOf(3));
  sessions.set(keyOf(idOf(8)), { ...record(8), groups: ['developers', 'a', 'b'] });
  sessions.set(keyOf(idOf(9)), { ...record(9), groups: ['developers\na', 'b'] });
  assert.deepEqual(groupsOf(8), ['developers', 'a', 'b']);
  assert.deepEqual(groupsOf(9), ['developers\na', 'b']);
});
