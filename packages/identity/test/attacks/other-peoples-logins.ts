/** Owns attacks on logins of other people. */
import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { authUrl, locationOf, login, openLogin, startTestIdentity } from '../test-identity.ts';

/** CVE-2022-39222: what an attacker can know of a request (the upstream sees its state) is worth nothing at any step. */
export async function attackApproval(t: TestContext): Promise<void> {
  const identity = await startTestIdentity({ oauth2: 'skipApprovalScreen: false' });
  t.after(() => identity.stop());
  const state = new URL(await openLogin(identity), 'http://x').searchParams.get('state') ?? '';
  const approval = locationOf(await login(identity));
  const req = approval.searchParams.get('req') ?? '';
  const hmac = approval.searchParams.get('hmac') ?? '';
  for (const query of [
    `req=${req}`,
    `req=${req}&hmac=`,
    `req=${req}&hmac=${'A'.repeat(hmac.length)}`,
    `req=${req}&hmac=${hmac.slice(0, -1)}`,
    `req=${req}&state=${state}`,
    `state=${state}&hmac=${hmac}`,
  ]) {
    for (const send of [
      () => identity.fetch(`/dex/approval?${query}`),
      () => identity.post(`/dex/approval?${query}`, { req, approval: 'approve' }),
    ]) {
      const response = await send();
      assert.ok(response.status === 401 || response.status === 400, `${query}: ${response.status}`);
      assert.doesNotMatch(response.headers.get('location') ?? '', /code=/);
    }
  }
  for (const target of [`/dex/auth?req=${req}`, `/dex/auth/local?req=${req}`, `/dex/callback?state=${state}`]) {
    assert.ok((await identity.fetch(target)).status >= 400, target);
  }
  // The person who has the proof still gets in.
  const done = await identity.post(approval.pathname + approval.search, { req, approval: 'approve' });
  assert.match(done.headers.get('location') ?? '', /code=/);
}

/** Dex drops inbound X-Remote headers where no proxy stands guard. */
export async function attackRemoteHeaders(t: TestContext): Promise<void> {
  const identity = await startTestIdentity({
    config: 'connectors:\n- {type: authproxy, id: proxy, name: Proxy}\n- {type: mockCallback, id: mock, name: Mock}\n',
  });
  t.after(() => identity.stop());
  const headers = {
    'x-remote-user': 'admin',
    'X-Remote-User-Id': 'admin',
    'x-remote-user-email': 'admin@kubeflow.org',
  };
  for (const connector of ['proxy', 'mock']) {
    const { search } = locationOf(await identity.fetch(authUrl({}, `/dex/auth/${connector}`)));
    const response = await identity.fetch(`/dex/callback${search}`, { headers });
    if (connector === 'proxy') assert.equal(response.status, 403);
    else assert.equal(response.status, 303);
  }
}
