/** Owns reading a connector's settings from YAML as the configuration file does. */
import assert from 'node:assert/strict';
import { createProblems } from '../src/config/problems.ts';
import type { Shape } from '../src/config/shape.ts';
import { parseYamlTree } from '../src/config/yaml-tree.ts';

/** The settings, and the words of all complaints about them. */
export function trySettings<T>(
  schema: Shape<T>,
  yaml: string,
): { readonly value: T; readonly errors: readonly string[] } {
  const problems = createProblems();
  const context = { path: '', problems, offset: 0, env: {}, expand: false };
  const value = schema.read(parseYamlTree(yaml, problems), context);
  return { value, errors: problems.errors.map(({ path, message }) => `${path} ${message}`) };
}

export function readSettings<T>(schema: Shape<T>, yaml: string): T {
  const { value, errors } = trySettings(schema, yaml);
  assert.deepEqual(errors, []);
  return value;
}

/** The settings that every redirecting connector needs, for the stub upstream. */
export const STUB_SETTINGS = `clientID: our-client
clientSecret: our-s3cret-&+
redirectURI: https://login.example.com/dex/callback
`;
