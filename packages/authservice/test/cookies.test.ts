import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, send, startService, untilReady } from './harness.ts';
import type { RawResponse } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';

interface Cookies {
  /** The Set-Cookie lines of the beginning of a login and of its end. */
  readonly flow: string;
  readonly session: string;
  ask(cookie: string): Promise<RawResponse>;
}

async function logIn(t: TestContext, env: Record<string, string>): Promise<Cookies> {
  const provider = await startHostileProvider(t);
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer, ...env });
  await untilReady(service);
  const [flow = ''] = (await new Browser(service.port).fetch(`${PUBLIC_ORIGIN}/`)).cookies;
  const end = await loginAt(provider, new Browser(service.port));
  assert.equal(end.status, 302, end.body);
  const session = end.cookies.find((line) => !line.includes('as_flow_')) ?? '';
  return { flow, session, ask: (cookie) => send({ port: service.port, path: '/', headers: { cookie } }) };
}

test('cookies are for this host, for https, out of reach of scripts', async (t) => {
  const { flow, session } = await logIn(t, {});
  assert.match(flow, /^__Host-as_flow_[\w-]{20}=[\w-]{22}; Path=\/; Max-Age=1200; HttpOnly; Secure; SameSite=Lax$/);
  assert.match(session, /^authservice_session=[\w-]{59}; Path=\/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax$/);
});

test('a session cookie that no sibling host can set, by its name', async (t) => {
  const { session, ask } = await logIn(t, { SESSION_COOKIE_NAME: '__Host-session' });
  assert.match(session, /^__Host-session=[\w-]{59}; Path=\/; Max-Age=86400; HttpOnly; Secure; SameSite=Lax$/);
  const [, token = ''] = /=([\w-]{59});/.exec(session) ?? [];
  assert.equal((await ask(`__Host-session=${token}`)).status, 200);
  assert.match(String((await ask(`__Host-session=${token}`)).headers['x-envoy-auth-headers-to-remove']), /,cookie$/);
  for (const name of ['session', '__host-session', '__Secure-session', 'authservice_session'])
    assert.equal((await ask(`${name}=${token}`)).status, 302, name);
});

test('for plain http, and for dashboards that read the cookie', async (t) => {
  const { flow, session, ask } = await logIn(t, {
    SESSION_COOKIE_SECURE: 'false',
    SESSION_COOKIE_HTTP_ONLY: 'false',
    SESSION_SAME_SITE: 'Strict',
    SESSION_MAX_AGE: '3600',
  });
  // The way back from the provider is from another site: the cookie of a login is Lax, and scripts have no use for it.
  assert.match(flow, /^as_flow_[\w-]{20}=[\w-]{22}; Path=\/; Max-Age=1200; HttpOnly; SameSite=Lax$/);
  assert.match(session, /^authservice_session=[\w-]{59}; Path=\/; Max-Age=3600; SameSite=Strict$/);
  const [pair = ''] = session.split(';');
  assert.equal((await ask(pair)).status, 200);
});
