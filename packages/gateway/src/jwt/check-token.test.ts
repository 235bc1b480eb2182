import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { request as httpsRequest } from 'node:https';
import { after, before, describe, test } from 'node:test';
import { exportPublicJwk, signJwt } from '@kfctl/oidc';
import { silentLogger } from '@kfctl/core';
import type { UnknownObject } from '@kfctl/kube';
import { parseRequestAuthentication } from '../istio/request-authentication.ts';
import { fetchText } from '../rig/fetch-text.ts';
import { policy, to, virtualService } from '../rig/objects.ts';
import { startRig } from '../rig/rig.ts';
import type { Rig } from '../rig/rig.ts';
import { createKeyStore } from './key-store.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const other = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const jwks = { keys: [exportPublicJwk(publicKey, 'k1')] };

function token(claims: object = {}, key: typeof privateKey = privateKey): string {
  const body = {
    iss: 'https://issuer',
    aud: 'kubeflow',
    sub: 'anna',
    exp: Date.now() / 1000 + 60,
    email: 'anna@example.com',
    groups: ['a,b', 'c'],
    ...claims,
  };
  return signJwt(body, { kid: 'k1', alg: 'ES256', key });
}

function authentication(name: string, rule: object): UnknownObject {
  return {
    apiVersion: 'security.istio.io/v1beta1',
    kind: 'RequestAuthentication',
    metadata: { name, namespace: 'istio-system', uid: name },
    spec: {
      selector: { matchLabels: { istio: 'ingressgateway' } },
      jwtRules: [{ issuer: 'https://issuer', audiences: ['kubeflow'], ...rule }],
    },
  };
}

let rig: Rig;
let fetched = 0;

before(async () => {
  rig = await startRig();
  await rig.upstream('app', (request, response) => {
    const { authorization, 'kubeflow-userid': user, 'kubeflow-groups': groups } = request.headers;
    response.end(JSON.stringify({ authorization: authorization !== undefined, user, groups }));
  });
  const issuer = await rig.upstream('issuer', (_request, response) => {
    fetched += 1;
    response.end(JSON.stringify(jwks));
  });
  const address = issuer.address();
  const port = typeof address === 'object' ? address?.port : 0;
  rig.sources.virtualServices.put(virtualService('app', [to('app')]));
  rig.sources.requestAuthentications.put(
    authentication('dex', {
      jwksUri: `http://127.0.0.1:${port}/keys`,
      outputClaimToHeaders: [
        { header: 'kubeflow-userid', claim: 'email' },
        { header: 'kubeflow-groups', claim: 'groups' },
      ],
    }),
  );
  rig.sources.authorizationPolicies.put(
    policy('require-jwt', { action: 'DENY', rules: [{ from: [{ source: { notRequestPrincipals: ['*'] } }] }] }),
  );
  await rig.settle();
});
after(() => rig.close());

function get(headers: Record<string, string>): Promise<string> {
  return new Promise((resolve, reject) => {
    httpsRequest(
      { port: rig.tlsPort(), host: '127.0.0.1', rejectUnauthorized: false, agent: false, headers },
      (response) => {
        let text = `${response.statusCode} `;
        response
          .setEncoding('utf8')
          .on('data', (chunk: string) => void (text += chunk))
          .on('end', () => resolve(text));
      },
    )
      .on('error', reject)
      .end();
  });
}

describe('a token', () => {
  test('that holds tells who it is, and stays at the gateway', async () => {
    const answer = await get({ authorization: `Bearer ${token()}`, 'kubeflow-userid': 'root' });
    assert.equal(answer, '200 {"authorization":false,"user":"anna@example.com","groups":"a%2Cb,c"}');
  });

  test('that is absent leaves nobody, whom policies refuse', async () => {
    assert.match(await get({ 'kubeflow-userid': 'root' }), /^403/);
    assert.match(await get({ authorization: 'Basic abc' }), /^403/);
  });

  test('that does not hold is refused', async () => {
    const bad: Record<string, string> = {
      'of another issuer': token({ iss: 'https://evil' }),
      'for another audience': token({ aud: 'other' }),
      'that is over': token({ exp: Date.now() / 1000 - 120 }),
      'of another key': token({}, other.privateKey),
      'that is none': 'abc',
      'without signature': `${token().split('.').slice(0, 2).join('.')}.`,
      'with alg none': `${Buffer.from('{"alg":"none"}').toString('base64url')}.${token().split('.')[1]}.AA`,
    };
    for (const [name, text] of Object.entries(bad))
      assert.match(await get({ authorization: `Bearer ${text}` }), /^401/, name);
  });

  test('makes the keys be fetched once, and unknown keys seldom', () => {
    assert.equal(fetched, 1);
  });
});

describe('a rule of its own', () => {
  let own: Rig;
  before(async () => {
    own = await startRig();
    await own.upstream('app', (request, response) =>
      response.end(JSON.stringify({ url: request.url, ...request.headers })),
    );
    own.sources.virtualServices.put(virtualService('app', [to('app')]));
    own.sources.authorizationPolicies.put(
      policy('require-jwt', { action: 'DENY', rules: [{ from: [{ source: { notRequestPrincipals: ['*'] } }] }] }),
    );
  });
  after(() => own.close());

  async function rule(more: object): Promise<void> {
    const spec = { issuer: 'https://issuer', jwks: JSON.stringify(jwks), ...more };
    const object = authentication('own', {});
    const selector = { matchLabels: { istio: 'ingressgateway' } };
    own.sources.requestAuthentications.put({ ...object, spec: { selector, jwtRules: [spec] } });
    await own.settle();
  }

  async function ask(path: string, headers: Record<string, string> = {}): Promise<Record<string, string> | number> {
    const answer = await fetchText(own.tlsPort(), path, headers);
    return answer.status === 200 ? (JSON.parse(answer.text) as Record<string, string>) : answer.status;
  }

  test('has its keys in the object, and no audience is every audience', async () => {
    await rule({});
    const seen = await ask('/', { authorization: `Bearer ${token({ aud: 'whatever' })}` });
    assert.ok(typeof seen === 'object' && seen['authorization'] === undefined);
    assert.equal(await ask('/', { authorization: `Bearer ${token({}, other.privateKey)}` }), 401);
  });

  test('takes tokens from the headers that it names, behind their prefix, and from nowhere else', async () => {
    await rule({ fromHeaders: [{ name: 'X-Jwt', prefix: 'Token ' }, { name: 'x-plain' }] });
    assert.equal(typeof (await ask('/', { 'x-jwt': `Token ${token()}` })), 'object');
    assert.equal(typeof (await ask('/', { 'x-plain': token() })), 'object');
    assert.equal(await ask('/', { 'x-jwt': token() }), 403);
    assert.equal(await ask('/', { authorization: `Bearer ${token()}` }), 403);
    assert.equal(await ask('/', { 'x-plain': 'abc' }), 401);
  });

  test('takes tokens from the parameters that it names', async () => {
    await rule({ fromParams: ['access', 'token'] });
    const sent = token();
    const seen = await ask(`/x?a=1&to%6Ben=${sent}&b=%20&token=${sent}&c`);
    assert.ok(typeof seen === 'object');
    assert.equal(seen['url'], '/x?a=1&b=%20&c');
    const alone = await ask(`/x?token=${sent}`);
    assert.ok(typeof alone === 'object');
    assert.equal(alone['url'], '/x');
    assert.equal(await ask(`/x?jwt=${token()}`), 403);
    assert.equal(await ask('/x?access=abc'), 401);
  });

  test('tells the payload in the header that it names, and nobody else may', async () => {
    await rule({ outputPayloadToHeader: 'X-Payload' });
    const sent = token();
    const seen = await ask('/', { authorization: `Bearer ${sent}`, 'x-payload': 'forged' });
    assert.ok(typeof seen === 'object');
    assert.equal(seen['x-payload'], sent.split('.')[1]);
  });

  test('lets the token travel on where it says so', async () => {
    await rule({ forwardOriginalToken: true });
    const authorization = `Bearer ${token()}`;
    const seen = await ask('/', { authorization });
    assert.ok(typeof seen === 'object');
    assert.equal(seen['authorization'], authorization);
    await rule({ forwardOriginalToken: true, fromParams: ['token'] });
    const sent = token();
    const kept = await ask(`/x?token=${sent}`);
    assert.ok(typeof kept === 'object');
    assert.equal(kept['url'], `/x?token=${sent}`);
  });

  test('is refused where it names keys twice or in no form', () => {
    const problemsOf = (more: object): string => {
      const problems: string[] = [];
      parseRequestAuthentication(authentication('a', more), problems);
      return problems.join();
    };
    assert.match(problemsOf({ jwks: '{}', jwksUri: 'https://a' }), /jwks: goes without/);
    assert.match(problemsOf({ jwks: 'no' }), /jwks: is not JSON/);
    assert.match(problemsOf({ jwksUri: 'file:///etc/passwd' }), /jwksUri/);
    assert.match(problemsOf({ fromCookies: ['a'] }), /fromCookies: is not supported/);
    assert.match(problemsOf({ outputPayloadToHeader: 'a b' }), /outputPayloadToHeader/);
  });
});

test('keys are kept while the issuer is away, and fetched again for an unknown key after a while', async () => {
  let now = 0;
  let calls = 0;
  let isUp = true;
  const store = createKeyStore({
    log: silentLogger,
    now: () => now,
    fetchJson: () => {
      calls += 1;
      return isUp ? Promise.resolve(jwks) : Promise.reject(new Error('down'));
    },
  });
  const source = { kind: 'set', uri: 'http://issuer/keys' } as const;
  assert.equal((await store.find(source, 100)).length, 1);
  await store.find(source, 100, true);
  assert.equal(calls, 1);
  isUp = false;
  now = 20_000;
  assert.equal((await store.find(source, 100, true)).length, 1);
  assert.equal(calls, 2);
  await store.find(source, 100, true);
  assert.equal(calls, 2);
});
