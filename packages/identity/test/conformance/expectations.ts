/** Owns the shapes in which answers come: a page, a redirect to the client, JSON of the token endpoint. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { locationOf } from '../test-identity.ts';
import type { Proof } from './row.ts';

const PACKAGE = path.join(import.meta.dirname, '../..');

/** A page for people that names the status in words and says this. Gives its text. */
export async function expectPage(response: Response, status: number, text: RegExp): Promise<string> {
  const body = await response.text();
  assert.equal(response.status, status, body.slice(-600));
  assert.match(response.headers.get('content-type') ?? '', /^text\/html; charset=utf-8$/i);
  assert.equal(response.headers.get('location'), null);
  assert.match(body, text);
  return body;
}

/** A redirect by 303 to the registered URI with error, description and state in the query. */
export function expectRefusal(response: Response, error: string, description: RegExp, state = 'st&te=1'): void {
  assert.equal(response.status, 303);
  const { searchParams, hash } = locationOf(response);
  assert.equal(searchParams.get('error'), error);
  assert.match(searchParams.get('error_description') ?? '', description);
  assert.equal(searchParams.get('state'), state);
  assert.equal(searchParams.get('code'), null);
  assert.equal(hash, '');
}

/** JSON of a refusal that nobody may cache. */
export async function expectJsonError(
  response: Response,
  status: number,
  error: string,
  description?: string | RegExp,
): Promise<void> {
  const text = await response.text();
  assert.equal(response.status, status, text);
  assert.match(response.headers.get('content-type') ?? '', /^application\/json/);
  assert.match(response.headers.get('cache-control') ?? '', /no-store/);
  const body = JSON.parse(text) as { error?: string; error_description?: string };
  assert.equal(body.error, error, text);
  if (typeof description === 'string') assert.equal(body.error_description ?? '', description);
  else if (description !== undefined) assert.match(body.error_description ?? '', description);
}

/** The fact is what that test asserts, over HTTP; `file` from the folder of the package. */
export function provenBy(file: string, name: string): Proof {
  return async () => {
    const full = path.join(PACKAGE, file);
    assert.ok(existsSync(full), `${file} is not there`);
    const text = readFileSync(full, 'utf8');
    const declared = [`test('${name}'`, `test("${name}"`, `test(\`${name}\``];
    assert.ok(
      declared.some((words) => text.includes(words)),
      `${file} has no test '${name}'`,
    );
    assert.match(text, /startTestIdentity|startIdentityProcess|http:\/\//, `${file} asks no running server`);
  };
}
