import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { test } from 'node:test';
import { Secret } from '@kfctl/core';
import { signJwt } from '@kfctl/oidc';
import type { ProviderMetadata } from '../provider/metadata.ts';
import type { ProviderResponse } from '../provider/provider-http.ts';
import { createBearer } from './bearer-cache.ts';
import type { BearerAuthenticator, BearerVerdict } from './bearer-cache.ts';
import { createIntrospectionAuthenticator } from './introspection-authenticator.ts';
import { createJwtAuthenticator } from './jwt-authenticator.ts';
import { createKubernetesAuthenticator } from './kubernetes-authenticator.ts';

const issuer = 'https://op.example/dex';
const nowMs = Date.UTC(2026, 0, 1);
const clock = { now: () => nowMs };
const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const sign = (claims: object): string => signJwt(claims, { kid: 'k', alg: 'ES256', key: privateKey });
const claims = { iss: issuer, aud: 'app', sub: 's', email: 'ann@example.com', groups: ['a'], exp: nowMs / 1000 + 600 };
const identityRules = {
  userIdClaim: 'email',
  userIdPrefix: '',
  userIdTransformers: [],
  groupsClaim: 'groups',
  allowUnverifiedEmail: false,
};
const jwt = createJwtAuthenticator({
  issuer,
  audiences: ['app', 'platform'],
  provider: { keys: async () => [{ kid: 'k', alg: 'ES256', key: publicKey }] },
  identityRules,
  clock,
});

test('a token of the provider for one of our audiences stands for its subject', async () => {
  assert.deepEqual((await jwt.authenticate(sign(claims)))?.caller, {
    userId: 'ann@example.com',
    groups: ['a'],
    subject: 's',
  });
  assert.notEqual(await jwt.authenticate(sign({ ...claims, aud: ['x', 'platform'] })), undefined);
  assert.equal(jwt.accepts(sign(claims)), true);
});

test('tokens for others, of others, from other times or without a name stand for nobody', async () => {
  for (const more of [
    { aud: 'other' },
    { aud: undefined },
    { exp: nowMs / 1000 - 1 },
    { exp: undefined },
    { nbf: nowMs / 1000 + 60 },
    { email: undefined },
    { email: 'a\nb' },
    { email_verified: false },
    { cnf: { jkt: 'x' } },
    { events: { 'http://schemas.openid.net/event/backchannel-logout': {} } },
  ]) {
    assert.equal(await jwt.authenticate(sign({ ...claims, ...more })), undefined, JSON.stringify(more));
  }
  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
  assert.equal(await jwt.authenticate(signJwt(claims, { kid: 'k', alg: 'ES256', key: foreign })), undefined);
  assert.equal(jwt.accepts(sign({ ...claims, iss: 'https://evil.example' })), false);
});

test("service accounts are whom the cluster says, for our audience only, and people's tokens are not shown to it", async () => {
  const seen: unknown[] = [];
  let status: object = {
    authenticated: true,
    audiences: ['gw'],
    user: { username: 'system:serviceaccount:ns:sa', groups: ['g'] },
  };
  const client = {
    create: async (_type: unknown, object: unknown) => {
      seen.push(object);
      return { ...(object as object), status } as never;
    },
  };
  const kubernetes = createKubernetesAuthenticator({ client, audiences: ['gw'], oidcIssuer: issuer });
  const token = sign({ iss: 'https://kubernetes.default.svc', aud: ['gw'], exp: nowMs / 1000 + 60 });
  assert.equal(kubernetes.accepts(sign(claims)), false);
  assert.equal(kubernetes.accepts('opaque'), false);
  assert.equal(kubernetes.accepts(token), true);
  assert.deepEqual((await kubernetes.authenticate(token))?.caller, {
    userId: 'system:serviceaccount:ns:sa',
    groups: ['g'],
  });
  assert.deepEqual((seen[0] as { spec: object }).spec, { token, audiences: ['gw'] });
  for (status of [
    { authenticated: false, audiences: ['gw'], user: { username: 'x' } },
    { authenticated: true, audiences: ['other'], user: { username: 'x' } },
    { authenticated: true, user: { username: 'x' } },
    { authenticated: true, audiences: ['gw'], user: {} },
    { authenticated: true, audiences: ['gw'] },
    {},
  ]) {
    assert.equal(await kubernetes.authenticate(token), undefined, JSON.stringify(status));
  }
  const broken = createKubernetesAuthenticator({
    client: { create: async () => Promise.reject(new Error('ECONNREFUSED')) },
    audiences: ['gw'],
    oidcIssuer: issuer,
  });
  await assert.rejects(broken.authenticate(token), { status: 503 });
});

interface Opaque {
  readonly authenticator: BearerAuthenticator;
  introspection: { status: number; body: unknown };
  userinfo: { status: number; body: unknown };
}

function openOpaque(): Opaque {
  const endpoints = { introspectionEndpoint: `${issuer}/introspect`, userinfoEndpoint: `${issuer}/userinfo` };
  const metadata = { issuer, ...endpoints, clientSecretInForm: false } as ProviderMetadata;
  const send = async ({ url }: { readonly url: string }): Promise<ProviderResponse> => {
    const { status, body } = url.endsWith('/userinfo') ? opaque.userinfo : opaque.introspection;
    return { status, contentType: 'application/json', text: JSON.stringify(body) };
  };
  const opaque: Opaque = {
    introspection: { status: 200, body: { ...claims, active: true } },
    userinfo: { status: 200, body: { sub: 's' } },
    authenticator: createIntrospectionAuthenticator({
      provider: { requireMetadata: () => metadata },
      http: { send, close: () => undefined },
      settings: { clientId: 'app', clientSecret: new Secret('s'), useUserinfo: true },
      audiences: ['app', 'platform'],
      identityRules,
    }),
  };
  return opaque;
}

test('opaque tokens are what introspection says', async () => {
  const opaque = openOpaque();
  const { accepts, authenticate } = opaque.authenticator;
  assert.equal(accepts('abcdef'), true);
  assert.equal(accepts(sign(claims)), false);
  assert.equal(accepts('x'.repeat(59)), false);
  assert.equal((await authenticate('abcdef'))?.caller.userId, 'ann@example.com');
  for (const body of [
    { active: false },
    { ...claims },
    { ...claims, active: 'true' },
    { ...claims, active: true, iss: 'https://evil.example' },
    { active: true },
  ]) {
    opaque.introspection = { status: 200, body };
    assert.equal(await authenticate('abcdef'), undefined, JSON.stringify(body));
  }
  opaque.introspection = { status: 401, body: { active: false } };
  assert.equal(await authenticate('abcdef'), undefined);
  opaque.introspection = { status: 503, body: {} };
  await assert.rejects(authenticate('abcdef'), { status: 503 });
});

test('opaque tokens of other clients, and refresh tokens, stand for nobody', async () => {
  const opaque = openOpaque();
  const { aud: _aud, ...rest } = claims;
  for (const [more, isOurs] of [
    [{ aud: 'other' }, false],
    [{ aud: ['other', 'third'], client_id: 'other' }, false],
    [{}, false],
    [{ client_id: ['app'] }, false],
    [{ aud: 'app', token_use: 'refresh_token' }, false],
    [{ aud: 'app', typ: 'Refresh' }, false],
    [{ aud: 'app', cnf: { jkt: 'x' } }, false],
    [{ aud: ['other', 'platform'], token_type: 'Bearer' }, true],
    [{ client_id: 'app', token_use: 'access_token' }, true],
  ] as const) {
    opaque.introspection = { status: 200, body: { ...rest, ...more, active: true } };
    const verdict = await opaque.authenticator.authenticate('abcdef');
    assert.equal(verdict !== undefined, isOurs, JSON.stringify(more));
  }
});

test('userinfo names the person of an opaque token where introspection does not', async () => {
  const opaque = openOpaque();
  opaque.introspection = { status: 200, body: { active: true, client_id: 'app', sub: 's' } };
  opaque.userinfo = { status: 200, body: { sub: 's', email: 'ann@example.com', groups: ['a'] } };
  const verdict = await opaque.authenticator.authenticate('abcdef');
  assert.deepEqual(verdict?.caller, { userId: 'ann@example.com', groups: ['a'], subject: 's' });
  opaque.userinfo = { status: 200, body: { sub: 'other', email: 'root@example.com', groups: ['admins'] } };
  assert.equal(await opaque.authenticator.authenticate('abcdef'), undefined);
});

test('answers are remembered shortly, refusals too, failures not at all', async () => {
  let now = nowMs;
  let asked = 0;
  let verdict: BearerVerdict | undefined | 'fail' = {
    caller: { userId: 'a', groups: [] },
    expiresAtMs: nowMs + 30_000,
  };
  const bearer = createBearer({
    beliefMs: 60_000,
    clock: { now: () => now },
    authenticators: [
      {
        name: 'counting',
        accepts: (token) => token !== 'foreign',
        authenticate: async () => {
          asked += 1;
          if (verdict === 'fail') throw new Error('down');
          return verdict;
        },
      },
    ],
  });
  await Promise.all(Array.from({ length: 20 }, () => bearer('t')));
  assert.equal((await bearer('t'))?.userId, 'a');
  assert.equal(asked, 1);
  now += 30_000;
  verdict = undefined;
  assert.equal(await bearer('t'), undefined);
  assert.equal(await bearer('t'), undefined);
  assert.equal(asked, 2);
  now += 10_000;
  verdict = 'fail';
  await assert.rejects(bearer('t'));
  await assert.rejects(bearer('t'));
  assert.equal(asked, 4);
  assert.equal(await bearer('foreign'), undefined);
  for (let index = 0; index < 12_000; index += 1) await bearer(`made-up-${index}`).catch(() => undefined);
  verdict = { caller: { userId: 'b', groups: [] }, expiresAtMs: now - 1 };
  assert.equal(await bearer('expired'), undefined);
});
