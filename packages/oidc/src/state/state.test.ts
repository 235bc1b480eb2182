import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Secret, systemRandom } from '@kfctl/core';
import { verifyPkce } from '../pkce/pkce.ts';
import { createLoginFlows, surplusFlowCookies } from './login-flow.ts';
import { createSealer } from './sealer.ts';

const newKey = new Secret('new'.repeat(16));
const oldKey = new Secret('old'.repeat(16));
const nowMs = 1_800_000_000_000;
const flowsWith = (...secrets: Secret[]): ReturnType<typeof createLoginFlows> =>
  createLoginFlows({ secrets, lifetimeMs: 900_000, random: systemRandom, secure: true });

test('opens what it sealed, at its place, for its purpose', () => {
  const sealer = createSealer({ secrets: [newKey], purpose: 'a' });
  const sealed = sealer.seal('text', 'place');
  assert.equal(sealer.open(sealed, 'place'), 'text');
  assert.equal(sealer.open(sealed, 'elsewhere'), undefined);
  assert.equal(createSealer({ secrets: [newKey], purpose: 'b' }).open(sealed, 'place'), undefined);
  assert.equal(createSealer({ secrets: [oldKey], purpose: 'a' }).open(sealed, 'place'), undefined);
  assert.notEqual(sealer.seal('text', 'place'), sealed);
});

test('opens nothing that was changed or made up', () => {
  const sealer = createSealer({ secrets: [newKey], purpose: 'a' });
  const bytes = Buffer.from(sealer.seal('text', 'p'), 'base64url');
  for (let index = 0; index < bytes.length; index += 1) {
    const changed = Buffer.from(bytes);
    changed[index] = (changed[index] ?? 0) ^ 1;
    assert.equal(sealer.open(changed.toString('base64url'), 'p'), undefined);
    assert.equal(sealer.open(bytes.toString('base64url', 0, index), 'p'), undefined);
  }
  for (const text of ['', '!', 'é', 'A'.repeat(400_000)]) assert.equal(sealer.open(text, 'p'), undefined);
});

test('a rotated key still opens and no longer seals', () => {
  const before = createSealer({ secrets: [oldKey], purpose: 'a' }).seal('text', 'p');
  const rotated = createSealer({ secrets: [newKey, oldKey], purpose: 'a' });
  assert.equal(rotated.open(before, 'p'), 'text');
  assert.equal(createSealer({ secrets: [oldKey], purpose: 'a' }).open(rotated.seal('text', 'p'), 'p'), undefined);
  assert.throws(() => createSealer({ secrets: [], purpose: 'a' }), TypeError);
});

test('a login comes back to its path with its own nonce and verifier', () => {
  const flows = flowsWith(newKey);
  const flow = flows.begin('/pipeline/?x=1', nowMs);
  assert.equal(flows.cookieNameOf(flow.state), flow.cookie.name);
  const opened = flows.open(flow.state, flow.cookie.value, nowMs + 1000);
  assert.equal(opened.kind, 'open');
  assert.ok(opened.kind === 'open');
  assert.equal(opened.returnTo, '/pipeline/?x=1');
  assert.equal(opened.nonce, flow.nonce);
  assert.equal(verifyPkce(opened.codeVerifier, flow.codeChallenge, 'S256'), true);
});

test('a state opens in the browser and the tab that began it only', () => {
  const flows = flowsWith(newKey);
  const mine = flows.begin('/mine', nowMs);
  const other = flows.begin('/other', nowMs);
  assert.equal(flows.open(mine.state, other.cookie.value, nowMs).kind, 'foreign');
  assert.equal(flows.open(mine.state, '', nowMs).kind, 'foreign');
  const [, sealed = ''] = mine.state.split('.');
  const [otherId = ''] = other.state.split('.');
  assert.equal(flows.open(`${otherId}.${sealed}`, mine.cookie.value, nowMs).kind, 'foreign');
  assert.equal(flows.open(`${otherId}.${sealed}`, other.cookie.value, nowMs).kind, 'foreign');
  assert.equal(flowsWith(oldKey).open(mine.state, mine.cookie.value, nowMs).kind, 'foreign');
  assert.equal(flowsWith(oldKey, newKey).open(mine.state, mine.cookie.value, nowMs).kind, 'open');
});

test('a login that took too long is known as such', () => {
  const flows = flowsWith(newKey);
  const flow = flows.begin('/a', nowMs);
  assert.deepEqual(flows.open(flow.state, flow.cookie.value, nowMs + 900_001), { kind: 'expired', returnTo: '/a' });
  assert.equal(flows.open(flow.state, flow.cookie.value, nowMs - 120_000).kind, 'expired');
  assert.equal(flows.open(flow.state, flow.cookie.value, nowMs - 1000).kind, 'open');
});

test('garbage is no state', () => {
  const flows = flowsWith(newKey);
  for (const state of [
    '',
    '.',
    'a.b',
    'x'.repeat(20) + '.',
    `${'x'.repeat(20)}.${'A'.repeat(10_000)}`,
    '\r\n',
    '__proto__',
  ]) {
    assert.equal(flows.cookieNameOf(state), undefined);
    assert.equal(flows.open(state, 'A'.repeat(22), nowMs).kind, 'foreign');
  }
});

test('an unsafe return path becomes the front page', () => {
  const flows = flowsWith(newKey);
  const flow = flows.begin('//evil.example', nowMs);
  const opened = flows.open(flow.state, flow.cookie.value, nowMs);
  assert.equal(opened.kind === 'open' ? opened.returnTo : '', '/');
});

test('states and secrets do not follow from each other', () => {
  const flows = flowsWith(newKey);
  const many = Array.from({ length: 200 }, () => flows.begin('/', nowMs));
  assert.equal(new Set(many.map((flow) => flow.cookie.value)).size, 200);
  assert.equal(new Set(many.map((flow) => flow.nonce)).size, 200);
  assert.equal(
    many.some((flow) => flow.state.includes(flow.cookie.value)),
    false,
  );
});

test('the oldest flows give way when there are too many', () => {
  const flows = flowsWith(newKey);
  const names = [3, 1, 2].map((minute) => flows.begin('/', nowMs + minute * 60_000).cookie.name);
  assert.deepEqual(surplusFlowCookies(names, 4), []);
  assert.deepEqual(surplusFlowCookies(names, 3), [names[1]]);
  assert.deepEqual(surplusFlowCookies(names, 2), [names[1], names[2]]);
});
