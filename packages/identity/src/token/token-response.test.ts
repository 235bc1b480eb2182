import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderTokens } from './token-response.ts';
import type { TokenResponse } from './token-response.ts';

const RESPONSES: readonly TokenResponse[] = [
  { access_token: 'a.b.c', token_type: 'bearer', expires_in: 86_400 },
  { access_token: 'a', token_type: 'bearer', expires_in: 1, refresh_token: 'r', id_token: 'i', scope: 'openid email' },
  { access_token: 'a', token_type: 'bearer', expires_in: 1, issued_token_type: 'urn:ietf:params:oauth:token-type:x' },
  { access_token: '","admin":"', token_type: 'bearer', expires_in: 1, id_token: 'a\\', scope: '"' },
];

test('the answer is the JSON of the tokens, whatever they are', () => {
  for (const response of RESPONSES) {
    const { status, headers, body } = renderTokens(response);
    assert.equal(status, 200);
    assert.deepEqual(JSON.parse(String(body)), response);
    // RFC 6749 §5.1.
    assert.deepEqual(headers, { 'content-type': 'application/json', 'cache-control': 'no-store', pragma: 'no-cache' });
  }
});
