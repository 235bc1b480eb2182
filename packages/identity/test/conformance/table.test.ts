import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { PAGES, renderPage } from './render-page.ts';
import { SECTIONS, SECTIONS_BY_FILE } from './sections.ts';

const FOLDER = path.join(import.meta.dirname, '../../../../docs/reference');

const ROWS = SECTIONS.flatMap(({ id, rows }) => rows.map((row) => ({ ...row, name: `${id}/${row.id}` })));

test('every section is proven by a file that exists, and every such file proves some', () => {
  const files = readdirSync(import.meta.dirname).filter(
    (file) => file.endsWith('.test.ts') && file !== 'table.test.ts',
  );
  assert.deepEqual(files.toSorted(), Object.keys(SECTIONS_BY_FILE).toSorted());
  for (const file of files) {
    assert.match(
      readFileSync(path.join(import.meta.dirname, file), 'utf8'),
      /^proveSectionsOf\(import\.meta\.url\);$/m,
    );
    assert.ok((SECTIONS_BY_FILE[file] ?? []).length > 0, file);
  }
});

test('no two rows have one name, and each says what holds in a sentence', () => {
  assert.equal(new Set(ROWS.map(({ name }) => name)).size, ROWS.length);
  for (const { name, fact } of ROWS) {
    assert.match(name, /^[1-7]\.\d{1,2}\/[a-z0-9-]+$/);
    assert.match(fact, /^[^\n]{12,320}\."?$/, name);
  }
});

test('a row that is not as in Dex says what Dex does and why it is so; one that follows a version says how they differ', () => {
  for (const { name, stand, dex, why, follows } of ROWS) {
    if (stand !== 'kept') assert.ok(dex !== undefined && why !== undefined, name);
    if (follows !== undefined) assert.match(dex ?? '', /2\.45|[Ll]ater/, name);
  }
});

for (const page of PAGES) {
  test(`${page.file} says what the rows say (UPDATE_PAGES=1 writes it)`, () => {
    const file = path.join(FOLDER, page.file);
    if (process.env['UPDATE_PAGES'] === '1') writeFileSync(file, renderPage(page));
    assert.ok(existsSync(file));
    assert.equal(readFileSync(file, 'utf8'), renderPage(page));
  });
}
