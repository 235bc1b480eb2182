import assert from 'node:assert/strict';
import { test } from 'node:test';
import { requireTests } from './conformance/held-by.ts';

const PAGE = 'test/ldap-login-page.test.ts';
const GITEA = 'src/connectors/gitea/gitea-connector.test.ts';

test('a name is found as it is written, filled into a template, or in the suite that a file runs', () => {
  requireTests('src/token/token.attack.test.ts', ['of 50 parallel redemptions of a code exactly one wins']);
  requireTests(PAGE, ['lets in by nested: john', 'shows the form again to "jane" with "wrong"']);
  requireTests('test/advisories.attack.test.ts', ['inherent: login CSRF: a login that an attacker began']);
  requireTests(GITEA, ['logs a person in', 'fails when the token endpoint answers with a page']);
  requireTests('testkit/src/identity-storage-races.ts', ['of 50 takers exactly one gets the code']);
});

test('a row fails when the file, the name, or what fills the template is not there', () => {
  assert.throws(() => requireTests('test/nowhere.test.ts', ['x']), /is not there/);
  assert.throws(() => requireTests(PAGE, []), /no test is named/);
  assert.throws(() => requireTests('src/token/token.attack.test.ts', ['of 51 parallel redemptions']), /has no test/);
  assert.throws(() => requireTests(PAGE, ['lets in by nested: nobody-of-this-name']), /has no test/);
  assert.throws(() => requireTests(PAGE, ['lets in by somewhere-else: john']), /has no test/);
  assert.throws(() => requireTests('src/token/token.attack.test.ts', ['logs a person in']), /has no test/);
  // Words of the file that are no test are none either.
  assert.throws(() => requireTests('src/token/token.attack.test.ts', ['refresh_token']), /has no test/);
});
