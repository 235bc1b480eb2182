import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { makeCertificate } from '../../testkit/src/certificate.ts';
import { fetchMetadata } from '../src/provider/metadata.ts';
import { createProviderHttp } from '../src/provider/provider-http.ts';
import { Browser } from './browser.ts';
import { PUBLIC_ORIGIN, startService, untilReady } from './harness.ts';
import { loginAt, startHostileProvider } from './hostile-provider.ts';

test('a provider with a private authority is believed where that is named, and nowhere else', async (t) => {
  const files = await makeCertificate(t);
  const provider = await startHostileProvider(t, files);
  const doubtful = await startService(t, { OIDC_PROVIDER: provider.issuer });
  while (!doubtful.logged().includes('not reachable')) await new Promise((resolve) => setImmediate(resolve));
  assert.equal((await new Browser(doubtful.port).fetch(`${PUBLIC_ORIGIN}/`)).status, 503);
  assert.deepEqual(provider.requests, []);
  const service = await startService(t, { OIDC_PROVIDER: provider.issuer, CA_BUNDLE: files.certFile });
  await untilReady(service);
  const browser = new Browser(service.port);
  assert.equal((await loginAt(provider, browser)).status, 302);
  assert.equal((await browser.fetch(`${PUBLIC_ORIGIN}/`)).headers['kubeflow-userid'], 'eve@example.com');
});

test('nothing is sent in clear to a provider of https', async (t) => {
  const files = await makeCertificate(t);
  const provider = await startHostileProvider(t, files);
  const clear = provider.issuer.replace('https:', 'http:');
  const names = ['userinfo_endpoint', 'revocation_endpoint', 'introspection_endpoint', 'end_session_endpoint'];
  provider.answers.metadata = Object.fromEntries(names.map((name) => [name, `${clear}/x`]));
  const http = createProviderHttp(readFileSync(files.certFile, 'utf8'));
  t.after(() => http.close());
  const metadata = await fetchMetadata(provider.issuer, http);
  const { userinfoEndpoint, revocationEndpoint, introspectionEndpoint, endSessionEndpoint } = metadata;
  const endpoints = [userinfoEndpoint, revocationEndpoint, introspectionEndpoint, endSessionEndpoint];
  assert.deepEqual(endpoints, [undefined, undefined, undefined, undefined]);
  for (const name of ['token_endpoint', 'jwks_uri', 'authorization_endpoint']) {
    provider.answers.metadata = { [name]: `${clear}/x` };
    await assert.rejects(fetchMetadata(provider.issuer, http), { code: 'PROVIDER_FAILED' });
  }
});
