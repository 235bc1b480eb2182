import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeCertificate } from '../../../testkit/src/certificate.ts';
import { readConfig } from './config.ts';

const GOOD = {
  OIDC_PROVIDER: 'http://dex.kubeflow.svc.cluster.local:5556/dex',
  OIDC_AUTH_URL: '/dex/auth',
  OIDC_SCOPES: 'openid profile email groups',
  REDIRECT_URL: '/login/oidc',
  SKIP_AUTH_URI: '/dex',
  CLIENT_ID: 'kubeflow-authservice-oidc',
  CLIENT_SECRET: 'secret',
  USERID_PREFIX: '',
  SESSION_ENCRYPTION_KEY: 'k'.repeat(44),
};

function problems(env: Readonly<Record<string, string>>): string {
  try {
    readConfig(env);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : '';
  }
}

test('reads the settings of the manifests', () => {
  const config = readConfig(GOOD);
  assert.equal(config.callbackPath, '/login/oidc');
  assert.equal(config.authorizationUrl, '/dex/auth');
  assert.deepEqual(config.scopes, ['openid', 'profile', 'email', 'groups']);
  assert.deepEqual(config.exemptPaths, ['/dex']);
  assert.equal(config.maxAgeSeconds, 86_400);
  assert.deepEqual(config.store, { kind: 'kubernetes', namespace: 'istio-system' });
  assert.deepEqual(config.cookieAttributes, { httpOnly: true, secure: true, sameSite: 'Lax' });
  assert.equal(config.userIdHeader, 'kubeflow-userid');
  assert.equal(config.identityRules.userIdPrefix, '');
});

test('reads the names and forms of older and newer references', () => {
  const older = readConfig({
    ...GOOD,
    PORT: '9000',
    STORE_PATH: '/data/db',
    SESSION_STORE_TYPE: 'file',
    OIDC_SCOPES: 'profile email',
    STATIC_DESTINATION_URL: '/_/',
  });
  assert.equal(older.port, 9000);
  assert.deepEqual(older.store, { kind: 'file', path: '/data/db' });
  assert.deepEqual(older.scopes, ['openid', 'profile', 'email']);
  assert.equal(older.afterLoginUrl, '/_/');
  const { REDIRECT_URL: _unset, ...rest } = GOOD;
  const newer = readConfig({
    ...rest,
    AUTHSERVICE_URL_PREFIX: 'https://host.example/authservice/',
    SKIP_AUTH_URLS: '/dex,/public/',
    OIDC_SCOPES: 'openid,email',
    LOG_LEVEL: 'WARN',
    SESSION_MAX_AGE: '12h',
  });
  assert.equal(newer.redirectUri, 'https://host.example/authservice/oidc/callback');
  assert.equal(newer.callbackPath, '/authservice/oidc/callback');
  assert.equal(newer.urlPrefix, '/authservice');
  assert.deepEqual(newer.exemptPaths, ['/dex', '/dex', '/public']);
  assert.deepEqual(newer.scopes, ['openid', 'email']);
  assert.equal(newer.maxAgeSeconds, 43_200);
  assert.equal(newer.logLevel, 'warn');
});

test('reads the settings of every era that have a meaning here', () => {
  const { REDIRECT_URL: _redirect, SESSION_ENCRYPTION_KEY: _key, ...rest } = GOOD;
  const first = readConfig({
    ...rest,
    SELF_URL: 'https://kubeflow.example/',
    JWT_HMAC_SECRET: 'h'.repeat(40),
    REDIS_ADDRESS: 'redis.example:7000',
    REDIS_PASSWORD: 'hunter2',
    LOGOUT_COOKIE: 'x',
  });
  assert.equal(first.redirectUri, 'https://kubeflow.example/login/oidc');
  assert.equal(first.callbackPath, '/login/oidc');
  assert.equal(first.encryptionKeys[0]?.reveal(), 'h'.repeat(40));
  assert.ok(first.store.kind === 'redis');
  assert.deepEqual([first.store.redis.host, first.store.redis.password?.reveal()], ['redis.example', 'hunter2']);
  assert.deepEqual(first.withoutEffect, ['LOGOUT_COOKIE: a logout always deletes the cookie']);
  const second = readConfig({ ...GOOD, STORE_PATH: '/data/db', USERID_TOKEN_HEADER: 'Kubeflow-Userid-Token' });
  assert.deepEqual(second.store, { kind: 'file', path: '/data/db.sqlite' });
  assert.deepEqual(second.removedHeaders, ['kubeflow-userid-token']);
  const last = readConfig({
    ...GOOD,
    SESSION_STORE_TYPE: 'boltdb',
    OIDC_STATE_STORE_PATH: '/x',
    STRICT_SESSION_VALIDATION: 'on',
    AUTH_HEADER: 'X-Session',
    AUTH_METHOD_HEADER: 'Auth-Method',
    ID_TOKEN_HEADER: 'X-Id-Token',
    VERIFY_AUTH_URL: '/check/',
    CACHE_ENABLED: 'true',
    CACHE_EXPIRATION_MINUTES: '7',
    HOMEPAGE_URL: '/h',
    TEMPLATE_CONTEXT_Logo: '/l',
    WEB_SERVER_PORT: '8082',
    CLIENT_NAME: '',
  });
  assert.equal(last.strictValidation, true);
  assert.deepEqual(
    [last.sessionHeader, last.authMethodHeader, last.bearerHeader],
    ['x-session', 'auth-method', 'x-id-token'],
  );
  assert.equal(last.verifyPath, '/check');
  assert.equal(last.bearer.beliefMs, 420_000);
  assert.deepEqual(
    last.withoutEffect.map((text) => text.split(':')[0]),
    ['HOMEPAGE_URL', 'OIDC_STATE_STORE_PATH', 'TEMPLATE_CONTEXT_Logo', 'WEB_SERVER_PORT'],
  );
  assert.deepEqual(readConfig(GOOD).withoutEffect, []);
  assert.equal(readConfig(GOOD).bearer.beliefMs, 60_000);
  assert.equal(readConfig({ ...GOOD, CACHE_ENABLED: 'false' }).bearer.beliefMs, 0);
});

test('names every mistake at once', () => {
  const text = problems({
    OIDC_PROVIDER: 'dex:5556',
    OIDC_AUTH_URL: '//evil.example/auth',
    SKIP_AUTH_URI: '/ /dex/../x //',
    REDIRECT_URL: '/',
    USERID_HEADER: 'kube flow',
    GROUPS_HEADER: 'cookie',
    USERID_TRANSFORMERS: '[{"matches": "(", "replaces": ""}, {"matches": "a"}]',
    SESSION_SAME_SITE: 'sometimes',
    SESSION_STORE_TYPE: 'mysql',
    AUTH_HEADER: 'a b',
    ID_TOKEN_HEADER: 'cookie',
    VERIFY_AUTH_URL: '/',
    CACHE_EXPIRATION_MINUTES: '0',
    CA_BUNDLE: '/nowhere/ca.pem',
    READINESS_PROBE_PORT: '8080',
    AUTH_METHOD_HEADER: 'kubeflow-groups',
    ACCESS_TOKEN_AUTHN: 'paseto',
    SESSION_ENCRYPTION_KEY: 'short',
    SESSION_MAX_AGE: '5',
    AFTER_LOGIN_URL: 'https://evil.example/',
    AFTER_LOGOUT_URL: 'javascript:alert(1)',
    LOG_LEVEL: 'loud',
  });
  for (const name of [
    'OIDC_PROVIDER',
    'OIDC_AUTH_URL',
    'SKIP_AUTH_URI',
    'REDIRECT_URL',
    'USERID_HEADER',
    'GROUPS_HEADER',
    'USERID_TRANSFORMERS',
    'SESSION_SAME_SITE',
    'SESSION_STORE_TYPE',
    'SESSION_ENCRYPTION_KEY',
    'SESSION_MAX_AGE',
    'AFTER_LOGIN_URL',
    'AFTER_LOGOUT_URL',
    'LOG_LEVEL',
    'AUTH_HEADER',
    'ID_TOKEN_HEADER',
    'VERIFY_AUTH_URL',
    'CACHE_EXPIRATION_MINUTES',
    'CA_BUNDLE',
    'READINESS_PROBE_PORT',
    'ACCESS_TOKEN_AUTHN',
    'CLIENT_ID',
    'CLIENT_SECRET',
  ]) {
    assert.match(text, new RegExp(`- ${name}: `), name);
  }
  assert.doesNotMatch(text, /short/);
});

test('a file of authorities is read at the start, and one that is none is a mistake', async (t) => {
  const { certFile, keyFile } = await makeCertificate(t);
  for (const name of ['CA_BUNDLE', 'OIDC_PROVIDER_CA_FILE']) {
    assert.match(readConfig({ ...GOOD, [name]: certFile }).authorities ?? '', /BEGIN CERTIFICATE/);
    for (const file of [keyFile, '/nowhere', import.meta.filename])
      assert.match(problems({ ...GOOD, [name]: file }), new RegExp(`- ${name}: "${file}" `), file);
  }
  const redis = { ...GOOD, SESSION_STORE_TYPE: 'redis', SESSION_STORE_REDIS_CA_FILE: '/nowhere' };
  assert.match(problems(redis), /- SESSION_STORE_REDIS_CA_FILE: "\/nowhere" cannot be used: ENOENT/);
});

test('two settings cannot mean the same place', () => {
  assert.match(
    problems({ ...GOOD, AUTH_METHOD_HEADER: 'Kubeflow-Groups' }),
    /AUTH_METHOD_HEADER: is the same as GROUPS_HEADER/,
  );
  assert.match(
    problems({ ...GOOD, USERID_TOKEN_HEADER: 'kubeflow-userid' }),
    /USERID_TOKEN_HEADER: is the same as USERID_HEADER/,
  );
  assert.match(problems({ ...GOOD, REDIRECT_URL: '/logout' }), /REDIRECT_URL: /);
  assert.match(problems({ ...GOOD, REDIRECT_URL: 'https://host/authservice/verify/x' }), /REDIRECT_URL: /);
  assert.match(problems({ ...GOOD, VERIFY_AUTH_URL: '/authservice/logout' }), /VERIFY_AUTH_URL: /);
  assert.match(problems({ ...GOOD, VERIFY_AUTH_URL: '/authservice' }), /VERIFY_AUTH_URL: /);
});

test('no setting opens everything', () => {
  for (const paths of ['/', '//', '/..', '/dex/%2e%2e', 'dex', '*', 'https://host', '/dex;x']) {
    assert.match(problems({ ...GOOD, SKIP_AUTH_URI: paths }), /SKIP_AUTH_URI/, paths);
  }
  for (const prefix of ['https://host', 'https://host/', '/', '/../x']) {
    assert.match(problems({ ...GOOD, AUTHSERVICE_URL_PREFIX: prefix }), /AUTHSERVICE_URL_PREFIX/, prefix);
  }
});

test('refuses cookies that browsers would throw away', () => {
  assert.match(problems({ ...GOOD, SESSION_SAME_SITE: 'none', SESSION_COOKIE_SECURE: 'false' }), /SESSION_COOKIE_NAME/);
  assert.match(
    problems({ ...GOOD, SESSION_COOKIE_NAME: '__Host-s', SESSION_COOKIE_SECURE: 'false' }),
    /SESSION_COOKIE_NAME/,
  );
  assert.equal(readConfig({ ...GOOD, SESSION_COOKIE_NAME: '__Host-s' }).cookieName, '__Host-s');
});

test('a configuration shows no secret', () => {
  assert.doesNotMatch(JSON.stringify(readConfig({ ...GOOD, CLIENT_SECRET: 'hunter2' })), /hunter2|kkkk/);
});

test('reads where redis is', () => {
  const redis = { ...GOOD, SESSION_STORE_TYPE: 'redis' };
  const plain = readConfig({
    ...redis,
    SESSION_STORE_REDIS_ADDR: 'redis.example:7000',
    SESSION_STORE_REDIS_PWD: 'hunter2',
  });
  assert.ok(plain.store.kind === 'redis');
  assert.deepEqual([plain.store.redis.host, plain.store.redis.port], ['redis.example', 7000]);
  assert.doesNotMatch(JSON.stringify(plain), /hunter2/);
  const watched = readConfig({
    ...redis,
    SESSION_STORE_REDIS_SENTINELS: 'a, b:7001 [::1]:7002',
    SESSION_STORE_REDIS_TLS: 'true',
  });
  assert.ok(watched.store.kind === 'redis');
  assert.deepEqual(watched.store.redis.sentinels, [
    { host: 'a', port: 26_379 },
    { host: 'b', port: 7001 },
    { host: '::1', port: 7002 },
  ]);
  assert.match(problems({ ...redis, SESSION_STORE_REDIS_ADDR: 'redis://x' }), /SESSION_STORE_REDIS_ADDR/);
});
