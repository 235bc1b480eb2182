import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret, silentLogger, systemRandom } from '@kfctl/core';
import { createPathMatcher } from '../redirect/plain-path.ts';
import { createSealer } from '../state/sealer.ts';
import { createIdentityHeaders } from './identity-headers.ts';
import type { HeaderEdits } from './identity-headers.ts';
import { SessionMemory } from './session-memory.ts';
import { createSessionPass } from './session-pass.ts';
import type { SessionPass } from './session-pass.ts';
import { sealSession } from './session.ts';
import type { LiveSession, SessionRecord } from './session.ts';
import { createSessionTokens, sessionIdOf } from './session-token.ts';

const NOW = Date.UTC(2026, 0, 1);
const secrets = [new Secret('k'.repeat(44))];
const tokens = createSessionTokens({ secrets, random: systemRandom });
const sealer = createSealer({ secrets, purpose: 'session' });
const ANN: SessionRecord = {
  userId: 'ann@example.com',
  groups: ['a', 'b,c'],
  subject: 's',
  userAgent: '',
  tokens: {},
  createdAtMs: NOW,
  lastUsedAtMs: NOW,
  expiresAtMs: NOW + 3_600_000,
};

interface Bed {
  readonly memory: SessionMemory;
  readonly pass: SessionPass<HeaderEdits>;
  add(more?: Partial<SessionRecord>): string;
  at(ms: number): void;
}

interface More {
  readonly allowedGroups?: string[];
  readonly assertionKeys?: Secret[];
  readonly idleTimeoutMs?: number;
  readonly addProof?: (edits: HeaderEdits, proof: string) => HeaderEdits;
}

function setUp(more: More = {}): Bed {
  let nowMs = NOW;
  const clock = { now: () => nowMs };
  const memory = new SessionMemory({ sealer, clock, log: silentLogger, idleTimeoutMs: more.idleTimeoutMs ?? Infinity });
  memory.found();
  const headers = { userIdHeader: 'kubeflow-userid', groupsHeader: 'kubeflow-groups', cookieName: 'session' };
  const identityHeaders = createIdentityHeaders({ ...headers, assertionKeys: more.assertionKeys ?? [] }, clock);
  const rules = { cookieName: 'session', isExempt: createPathMatcher(['/dex']) };
  const { allowedGroups = ['*'] } = more;
  const pass = createSessionPass(
    { find: memory.find, rules, identityHeaders, allowedGroups, now: clock.now },
    (edits) => edits,
    more.addProof,
  );
  const add = (change: Partial<SessionRecord> = {}): string => {
    const token = tokens.create();
    const id = sessionIdOf(token);
    memory.put(sealSession(id, { ...ANN, ...change }, sealer));
    return token;
  };
  return { memory, pass, add, at: (ms) => void (nowMs = NOW + ms) };
}

const ask = (cookie: string, more: Record<string, string> = {}, path = '/pipeline/'): Parameters<Bed['pass']>[0] => ({
  method: 'GET',
  path,
  headers: { cookie, ...more },
});

test('a live session passes as its person, without its cookie, and from the second time on the same', () => {
  const { pass, add } = setUp();
  const token = add();
  pass(ask(`session=${token}`));
  const edits = pass(ask(`session=${token}`));
  assert.ok(edits);
  assert.deepEqual(edits.set, ['kubeflow-userid', 'ann@example.com', 'kubeflow-groups', 'a,b%2Cc']);
  assert.deepEqual(edits.remove, [
    'kubeflow_userid',
    'kubeflow_groups',
    'kubeflow_assertion',
    'kubeflow-assertion',
    'cookie',
  ]);
  assert.equal(pass(ask(`session=${token}`)), edits);
  const others = pass(ask(`theme=dark; session=${token}; as_flow_x=1`));
  assert.deepEqual(others?.set.slice(4), ['cookie', 'theme=dark']);
  assert.equal(others.remove.includes('cookie'), false);
});

test('what is not that plain is not decided here', () => {
  const { pass, add } = setUp();
  const token = add();
  const apiToken = add({ apiToken: { name: 'x', readOnly: false, paths: [] } });
  const due = add({ tokens: { refreshToken: 'r', accessTokenExpiresAtMs: NOW } });
  const other = add();
  const undecided = {
    nobody: ask(''),
    'somebody unknown': ask(`session=${tokens.create()}`),
    'an exempt path': ask(`session=${token}`, {}, '/dex/auth'),
    'two sessions': ask(`session=${token}; session=${other}`),
    'a token in a header': ask('a=b', { authorization: `Bearer ${token}` }),
    'a token in a header and a session': ask(`session=${token}`, { 'x-auth-token': other }),
    'an API token as a cookie': ask(`session=${apiToken}`),
    'tokens that are due': ask(`session=${due}`),
  };
  for (const [name, request] of Object.entries(undecided)) assert.equal(pass(request), undefined, name);
});

test('only members of an allowed group pass where there is a list', () => {
  const { pass, add } = setUp({ allowedGroups: ['a'] });
  assert.notEqual(pass(ask(`session=${add()}`)), undefined);
  assert.equal(pass(ask(`session=${add({ groups: ['A'] })}`)), undefined);
  const { pass: nobody, add: again } = setUp({ allowedGroups: [] });
  assert.equal(nobody(ask(`session=${again()}`)), undefined);
});

test('time, an end and an interruption of the following stop it', () => {
  const { pass, add, at, memory } = setUp({ idleTimeoutMs: 600_000 });
  const [idle, used, ended] = [add(), add(), add()];
  const passes = (token: string): boolean => pass(ask(`session=${token}`)) !== undefined;
  at(500_000);
  assert.equal(passes(used), true);
  assert.equal(passes(ended), true);
  memory.end(sessionIdOf(ended));
  assert.equal(passes(ended), false);
  memory.put(sealSession(sessionIdOf(ended), ANN, sealer));
  assert.equal(passes(ended), false, 'an old report');
  at(700_000);
  assert.equal(passes(idle), false);
  assert.equal(passes(used), true);
  memory.lost();
  assert.equal(memory.isReady, false);
  assert.equal(passes(used), false);
});

test('new groups count at once', () => {
  const { pass, memory } = setUp();
  const token = tokens.create();
  const id = sessionIdOf(token);
  memory.put(sealSession(id, ANN, sealer));
  pass(ask(`session=${token}`));
  memory.put(sealSession(id, { ...ANN, groups: [] }, sealer));
  assert.deepEqual(pass(ask(`session=${token}`))?.set, ['kubeflow-userid', 'ann@example.com']);
});

const addProof = ({ set, remove }: HeaderEdits, proof: string): HeaderEdits => ({
  set: [...set, 'kubeflow-assertion', proof],
  remove,
});

for (const more of [{}, { addProof }])
  test(`proofs are of one request each, ${Object.keys(more)[0] ?? 'rendered'}`, () => {
    const { pass, add } = setUp({ assertionKeys: [new Secret('a'.repeat(44))], ...more });
    const token = add();
    const proofOf = (path: string): string => {
      const { set = [], remove = [] } = pass(ask(`session=${token}`, {}, path)) ?? {};
      assert.equal(remove.includes('kubeflow-assertion'), false);
      return set[set.indexOf('kubeflow-assertion') + 1] ?? '';
    };
    assert.match(proofOf('/a'), /^v1\./);
    assert.notEqual(proofOf('/a'), proofOf('/b'));
  });

test('a session sealed for another id or by another key is nobody', () => {
  const { pass, memory } = setUp();
  const [token, other] = [tokens.create(), tokens.create()];
  const stored = sealSession(sessionIdOf(other), ANN, sealer);
  memory.put({ ...stored, id: sessionIdOf(token) });
  const foreign = createSealer({ secrets: [new Secret('x'.repeat(44))], purpose: 'session' });
  memory.put(sealSession(sessionIdOf(other), ANN, foreign));
  for (const each of [token, other]) assert.equal(pass(ask(`session=${each}`)), undefined);
  const found: LiveSession[] = [...memory.all()];
  assert.deepEqual(found, []);
  assert.deepEqual(memory.sweep(ANN.expiresAtMs).toSorted(), [token, other].map(sessionIdOf).toSorted());
});
