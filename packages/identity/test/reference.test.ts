import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { renderReference } from '../src/config/render-reference.ts';
import { CONNECTOR_TYPES } from '../src/connectors/registry.ts';

const FILE = path.join(import.meta.dirname, '../../../docs/reference/identity.md');

test('the reference is what the program says (identity reference > docs/reference/identity.md)', async () => {
  assert.equal(readFileSync(FILE, 'utf8'), await renderReference());
});

test('every key of every connector is explained', async () => {
  const text = await renderReference();
  for (const [type, load] of Object.entries(CONNECTOR_TYPES)) {
    assert.ok(text.includes(`### \`type: ${type}\``), type);
    for (const name of Object.keys((await load()).schema.fields ?? {}))
      assert.match(text, new RegExp(`\`config\\.${name}[.\`[]`));
  }
  assert.doesNotMatch(text, /\| +\|$/m);
  assert.doesNotMatch(text, /undefined|\[object/);
});

test('the program prints it', () => {
  const main = path.join(import.meta.dirname, '../src/main.ts');
  assert.match(execFileSync(process.execPath, [main, 'reference'], { encoding: 'utf8' }), /^# Configuration/);
});
