import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { isAppError } from '@kfctl/core';
import { assertionOf, startFixture } from '../../test/dashboard-fixture.ts';
import { createPages } from './page-routes.ts';

function pagesDirectory(t: TestContext): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'kfctl-pages-'));
  t.after(() => rmSync(directory, { recursive: true }));
  mkdirSync(path.join(directory, 'dist', 'assets'), { recursive: true });
  writeFileSync(path.join(directory, 'secret.txt'), 'secret');
  writeFileSync(path.join(directory, 'dist', 'index.html'), '<title>index</title>');
  writeFileSync(path.join(directory, 'dist', 'assets', 'a-1.js'), 'let a');
  return path.join(directory, 'dist');
}

test('pages get the index, assets live for ever, unknown paths are 404', async (t) => {
  const { request } = await startFixture(t, { pages: createPages(pagesDirectory(t)) });
  const get = (url: string): Promise<Response> => request(url, { user: 'a@x.org' });
  for (const page of ['/', '/activity', '/manage-users', '/account', '/_/jupyter/']) {
    const response = await get(page);
    assert.equal(await response.text(), '<title>index</title>', page);
    assert.match(response.headers.get('content-security-policy') ?? '', /default-src 'none'/);
  }
  const asset = await get('/assets/a-1.js');
  assert.match(asset.headers.get('cache-control') ?? '', /immutable/);
  assert.match(asset.headers.get('content-type') ?? '', /javascript/);
  const etag = asset.headers.get('etag') ?? '';
  assert.equal((await request('/assets/a-1.js', { user: 'a@x.org', headers: { 'if-none-match': etag } })).status, 304);
  for (const unknown of ['/nothing', '/assets/b.js', '/assets/', '/index.html/x'])
    assert.equal((await get(unknown)).status, 404, unknown);
});

test('no path leaves the directory', async (t) => {
  const { base } = await startFixture(t, { pages: createPages(pagesDirectory(t)) });
  const { port } = new URL(base);
  for (const attack of [
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/..%2fsecret.txt',
    '/%2e%2e/secret.txt',
    '/..\\secret.txt',
    '//etc/passwd',
  ]) {
    const body = await new Promise<string>((resolve, reject) => {
      httpRequest({ port, path: attack, headers: headersFor(attack) }, (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => (text += chunk.toString()));
        response.on('end', () => resolve(`${response.statusCode} ${text}`));
      })
        .on('error', reject)
        .end();
    });
    assert.equal(body, '404 not found\n', attack);
  }
});

test('missing pages are an error that says how to build them', () => {
  assert.throws(
    () => createPages('/nonexistent'),
    (error) => isAppError(error) && error.code === 'PAGES_MISSING' && error.hint !== undefined,
  );
});

function headersFor(target: string): Record<string, string> {
  const user = 'a@x.org';
  return { 'kubeflow-userid': user, 'kubeflow-assertion': assertionOf(user, 'GET', target) };
}
