import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { locationOf, login, redeem, startTestIdentity } from '../../test/test-identity.ts';
import type { TestIdentity } from '../../test/test-identity.ts';

let identity: TestIdentity;
before(async () => {
  identity = await startTestIdentity({ oauth2: 'skipApprovalScreen: false' });
});
after(() => identity.stop());

async function openApproval(): Promise<{ path: string; req: string }> {
  const response = await login(identity);
  assert.equal(response.status, 303);
  const path = response.headers.get('location') ?? '';
  return { path, req: locationOf(response).searchParams.get('req') ?? '' };
}

test('the page names client and scopes as text, and approving gives the code', async () => {
  const { path, req } = await openApproval();
  const page = await identity.fetch(path);
  const text = await page.text();
  assert.equal(page.status, 200);
  assert.match(text, /The &lt;b&gt;App&lt;\/b&gt;/);
  assert.match(text, /View your groups/);
  const answer = await identity.post(path, { req, approval: 'approve' });
  assert.equal(answer.status, 303);
  const code = locationOf(answer).searchParams.get('code') ?? '';
  assert.equal((await redeem(identity, code)).status, 200);
});

test('the id of a logged-in request without its proof gives nothing', async () => {
  const { req } = await openApproval();
  const other = await openApproval();
  const foreign = new URL(other.path, 'http://x').searchParams.get('hmac') ?? '';
  for (const hmac of ['', 'AAAA', foreign, '\0']) {
    const path = `/dex/approval?${new URLSearchParams({ req, hmac }).toString()}`;
    assert.equal((await identity.fetch(path)).status, 401, hmac);
    assert.equal((await identity.post(path, { req, approval: 'approve' })).status, 401, hmac);
  }
  assert.equal((await identity.fetch(`/dex/approval?req=${req}`)).status, 401);
  assert.equal((await identity.fetch(`/dex/auth?req=${req}`)).status, 400);
});

test('of 50 submits at once one gets the code, and the others find nothing', async () => {
  const { path, req } = await openApproval();
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => identity.post(path, { req, approval: 'approve' })),
  );
  assert.deepEqual(answers.map((answer) => answer.status).toSorted(), [303, ...Array.from({ length: 49 }, () => 400)]);
});

test('refusing tells the client and ends the request', async () => {
  const { path, req } = await openApproval();
  const answer = await identity.post(path, { req, approval: 'rejected' });
  assert.equal(locationOf(answer).searchParams.get('error'), 'access_denied');
  assert.equal((await identity.post(path, { req, approval: 'approve' })).status, 400);
});

test('an answer that is neither, for another request, or from another site changes nothing', async () => {
  const { path, req } = await openApproval();
  assert.equal((await identity.post(path, { req, approval: 'yes' })).status, 400);
  assert.equal((await identity.post(path, { req: 'f'.repeat(32), approval: 'approve' })).status, 400);
  assert.equal(
    (await identity.post(path, { req, approval: 'approve' }, { 'sec-fetch-site': 'cross-site' })).status,
    403,
  );
  assert.equal((await identity.post(path, { req, approval: 'approve' })).status, 303);
});

test('unknown ids of any shape are refused', async () => {
  for (const req of ['f'.repeat(32), '../x', '', 'x'.repeat(5000)]) {
    assert.equal((await identity.fetch(`/dex/approval?hmac=x&req=${encodeURIComponent(req)}`)).status, 400);
  }
});
