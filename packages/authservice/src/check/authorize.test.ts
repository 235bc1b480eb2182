import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAuthorize } from './authorize.ts';
import { createExternalAuthorizer } from './external-authorizer.ts';

const request = { method: 'DELETE', path: '/pipeline/x', headers: { host: 'kubeflow.test:8443' } };
const caller = (...groups: string[]): { userId: string; groups: string[] } => ({ userId: 'ann@example.com', groups });

test('an asterisk allows everybody, an empty list nobody, groups their members', async () => {
  assert.equal(await createAuthorize(['x', '*'])(caller(), request), undefined);
  assert.match((await createAuthorize([])(caller('a'), request))?.reason ?? '', /none of your groups/);
  assert.equal(await createAuthorize(['a', 'b'])(caller('c', 'b'), request), undefined);
  assert.notEqual(await createAuthorize(['a', 'b'])(caller('c', 'A'), request), undefined);
  assert.notEqual(await createAuthorize(['a'])(caller(), request), undefined);
});

test('the external authorizer is asked after the list, and its trouble is no leave to pass', async () => {
  const asked: unknown[] = [];
  let answer = { status: 200, contentType: '', text: '' };
  const external = createExternalAuthorizer({
    url: 'http://authorizer/check',
    clock: { now: () => 0 },
    http: {
      send: async ({ body }) => {
        asked.push(JSON.parse(body ?? ''));
        return answer;
      },
    },
  });
  const authorize = createAuthorize(['a'], external);
  assert.notEqual(await authorize(caller('b'), request), undefined);
  assert.equal(asked.length, 0);
  assert.equal(await authorize(caller('a'), request), undefined);
  assert.deepEqual(asked[0], {
    timestamp: '1970-01-01T00:00:00.000Z',
    user: { name: 'ann@example.com', id: 'ann@example.com', groups: ['a'] },
    request: { host: 'kubeflow.test', port: 8443, path: '/pipeline/x', method: 'DELETE' },
  });
  answer = { status: 403, contentType: '', text: '<b>not on Sundays</b>' };
  assert.deepEqual(await authorize(caller('a'), request), { reason: '<b>not on Sundays</b>' });
  answer = { status: 401, contentType: '', text: '' };
  assert.deepEqual(await authorize(caller('a'), request), { reason: 'You may not do this.' });
  for (const status of [302, 404, 500, 503]) {
    answer = { status, contentType: '', text: '' };
    await assert.rejects(async () => authorize(caller('a'), request), { status: 503 });
  }
});
