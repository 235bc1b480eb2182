/** Owns the rows about the approval page. */
import assert from 'node:assert/strict';
import { locationOf, login, openLogin, redeem } from '../test-identity.ts';
import type { TestIdentity } from '../test-identity.ts';
import { expectPage, expectRefusal } from './expectations.ts';
import type { Section } from './row.ts';
import type { Servers } from './servers.ts';

const ASKING = { oauth2: 'skipApprovalScreen: false' };
const ALL = { scope: 'openid profile email groups offline_access' };

interface Asked {
  readonly identity: TestIdentity;
  readonly page: string;
  readonly req: string;
}

async function asked(servers: Servers, changes: Record<string, string> = {}): Promise<Asked> {
  const identity = await servers.at(ASKING);
  const response = await login(identity, changes);
  return {
    identity,
    page: response.headers.get('location') ?? '',
    req: locationOf(response).searchParams.get('req') ?? '',
  };
}

export const APPROVAL: Section = {
  id: '2.6',
  title: 'The approval page',
  rows: [
    {
      id: 'client-name',
      fact: 'GET is 200 and names the client, as text.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, page } = await asked(servers);
        await expectPage(await identity.fetch(page), 200, /The &lt;b&gt;App&lt;\/b&gt;/);
      },
    },
    {
      id: 'scopes',
      fact: 'It says what the scopes give: offline access, basic profile information, email address, groups; for openid nothing.',
      stand: 'kept',
      proof: async (servers) => {
        const all = await asked(servers, ALL);
        const text = await (await all.identity.fetch(all.page)).text();
        const words = [
          'Have offline access',
          'View basic profile information',
          'View your email address',
          'View your groups',
        ];
        for (const word of words) assert.ok(text.includes(`<li>${word}</li>`), word);
        const few = await asked(servers, { scope: 'openid email' });
        const items = (await (await few.identity.fetch(few.page)).text()).match(/<li>/g) ?? [];
        assert.equal(items.length, 1);
      },
    },
    {
      id: 'forms',
      fact: 'Two forms post req and approval (approve, rejected) to the same address, the proof staying in the query.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, page, req } = await asked(servers);
        const text = await (await identity.fetch(page)).text();
        const forms = [...text.matchAll(/<form method="post" action="([^"]*)">([^]*?)<\/form>/g)];
        assert.equal(forms.length, 2);
        for (const [index, approval] of ['approve', 'rejected'].entries()) {
          const [, action = '', fields = ''] = forms[index] ?? [];
          assert.equal(new URL(action.replaceAll('&amp;', '&'), 'http://x').href, new URL(page, 'http://x').href);
          assert.match(fields, new RegExp(`name="req" value="${req}"`));
          assert.match(fields, new RegExp(`name="approval" value="${approval}"`));
        }
      },
    },
    {
      id: 'approve',
      fact: 'Approving leads by 303 to the redirect URI with a code that redeems.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, page, req } = await asked(servers);
        const done = await identity.post(page, { req, approval: 'approve' });
        assert.equal(done.status, 303);
        assert.match(done.headers.get('location') ?? '', /^\/login\/oidc\?code=[\w-]+&state=st%26te%3D1$/);
        assert.equal((await redeem(identity, locationOf(done).searchParams.get('code') ?? '')).status, 200);
      },
    },
    {
      id: 'reject',
      fact: 'Rejecting on the approval page leads by 303 to the redirect URI with access_denied.',
      stand: 'other',
      dex: 'Shows a page with 500: "Approval rejected."',
      why: 'RFC 6749 §4.1.2.1; the application waits for an answer.',
      proof: async (servers) => {
        const { identity, page, req } = await asked(servers);
        expectRefusal(await identity.post(page, { req, approval: 'rejected' }), 'access_denied', /refused/);
        await expectPage(await identity.post(page, { req, approval: 'approve' }), 400, /User session has expired\./);
      },
    },
    {
      id: 'neither',
      fact: 'An approval form that says neither, or is for another request than the address’s, is a page with 400 and changes nothing.',
      stand: 'other',
      dex: 'Takes it for a rejection.',
      why: 'A broken form must not end a login.',
      proof: async (servers) => {
        const { identity, page, req } = await asked(servers);
        for (const form of [
          { req },
          { req, approval: 'yes' },
          { req: 'x', approval: 'approve' },
          { approval: 'approve' },
        ])
          await expectPage(await identity.post(page, form as Record<string, string>), 400, /Invalid request/);
        assert.equal((await identity.post(page, { req, approval: 'approve' })).status, 303);
      },
    },
    {
      id: 'proof-missing',
      fact: 'Without the proof it is a page with 401: "Unauthorized request", for GET and POST.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, page, req } = await asked(servers);
        const bare = page.replace(/&hmac=.*/, '');
        for (const target of [bare, `${bare}&hmac=`, '/dex/approval']) {
          await expectPage(await identity.fetch(target), 401, /Unauthorized request/);
          await expectPage(await identity.post(target, { req, approval: 'approve' }), 401, /Unauthorized request/);
        }
      },
    },
    {
      id: 'proof-wrong',
      fact: 'A wrong proof, also that of another request, is a page with 401.',
      stand: 'kept',
      proof: async (servers) => {
        const { identity, page, req } = await asked(servers);
        const other = new URL((await asked(servers)).page, 'http://x').searchParams.get('hmac') ?? '';
        const right = new URL(page, 'http://x').searchParams.get('hmac') ?? '';
        for (const hmac of [other, `${right}A`, right.slice(1), `${right}=`, 'x']) {
          const target = page.replace(/&hmac=.*/, `&hmac=${hmac}`);
          await expectPage(await identity.fetch(target), 401, /Unauthorized request/);
          await expectPage(await identity.post(target, { req, approval: 'approve' }), 401, /Unauthorized request/);
        }
      },
    },
    {
      id: 'not-logged-in',
      fact: 'A request that nobody has logged in to has no approval page: its state is no req.',
      stand: 'safer',
      dex: 'Answers 500 "Login process not yet finalized."; 2.45 before it looks at the proof.',
      why: 'Nothing is stored, and no id exists, before somebody has logged in.',
      proof: async (servers) => {
        const identity = await servers.at(ASKING);
        const state = new URL(await openLogin(identity), 'http://x').searchParams.get('state') ?? '';
        const target = `/dex/approval?${new URLSearchParams({ req: state, hmac: 'x' }).toString()}`;
        await expectPage(await identity.fetch(target), 400, /User session has expired\./);
      },
    },
    {
      id: 'unknown',
      fact: 'An unknown req is a page with 400.',
      stand: 'kept',
      dex: '2.45 answers 500; later versions 400.',
      follows: 'head',
      proof: async (servers) => {
        const { identity, page } = await asked(servers);
        for (const req of ['0'.repeat(32), 'abcdefghijklmnopqrstuvwxyz', '../x', ''])
          await expectPage(
            await identity.fetch(page.replace(/req=[^&]*/, `req=${req}`)),
            400,
            /User session has expired\./,
          );
      },
    },
    {
      id: 'expired',
      fact: 'An approval page that was left open is a page with 400: "User session has expired."',
      stand: 'safer',
      dex: 'Waits as long as for the login, 24 h.',
      why: 'Whoever has logged in answers within ten minutes, or logs in again.',
      proof: async (servers) => {
        const identity = await servers.fresh(ASKING);
        const page = (await login(identity)).headers.get('location') ?? '';
        identity.now += 599_000;
        assert.equal((await identity.fetch(page)).status, 200);
        identity.now += 2000;
        await expectPage(await identity.fetch(page), 400, /User session has expired\./);
      },
    },
    {
      id: 'twice',
      fact: 'The request is gone once answered: a second submit is a page with 400, and of 20 at once one gets a code.',
      stand: 'kept',
      dex: '2.45 answers a second one with 500; later versions 400.',
      follows: 'head',
      proof: async (servers) => {
        const { identity, page, req } = await asked(servers);
        const all = await Promise.all(
          Array.from({ length: 20 }, () => identity.post(page, { req, approval: 'approve' })),
        );
        assert.equal(all.filter(({ status }) => status === 303).length, 1);
        assert.equal(all.filter(({ status }) => status === 400).length, 19);
        await expectPage(await identity.post(page, { req, approval: 'approve' }), 400, /User session has expired\./);
      },
    },
    {
      id: 'skipped',
      fact: 'With oauth2.skipApprovalScreen there is no approval page, except for devices.',
      stand: 'safer',
      dex: 'Skips it for devices too.',
      why: 'RFC 8628 §5.4: a stranger’s link must not hand a login to the stranger’s device.',
      proof: async (servers) => {
        const identity = await servers.at();
        assert.equal(locationOf(await login(identity)).pathname, '/login/oidc');
        const device = { client_id: 'cli', redirect_uri: '/dex/device/callback' };
        assert.equal(locationOf(await login(identity, device)).pathname, '/dex/approval');
      },
    },
    {
      id: 'foreign-site',
      fact: 'An approval that a page of another site sends is refused with 403.',
      stand: 'safer',
      dex: 'Takes it.',
      why: 'Only the person at the page can agree.',
      proof: async (servers) => {
        const { identity, page, req } = await asked(servers);
        const response = await identity.post(page, { req, approval: 'approve' }, { 'sec-fetch-site': 'cross-site' });
        assert.equal(response.status, 403);
      },
    },
  ],
};
