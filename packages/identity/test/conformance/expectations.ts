/** Owns the shapes in which answers come: a page, a redirect to the client, JSON of the token endpoint. */
import assert from 'node:assert/strict';
import { locationOf, startTestIdentity } from '../test-identity.ts';
import type { TestOptions } from '../test-identity.ts';

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

/** The server does not start, and says so in these words; one that starts all the same is stopped. */
export async function expectNoStart(options: TestOptions, words: RegExp | ((error: Error) => boolean)): Promise<void> {
  const started = startTestIdentity(options).then((identity) => identity.stop());
  await assert.rejects(started, words);
}
