import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';

const ROOT = path.join(import.meta.dirname, '../../..');
const TABLE = readFileSync(path.join(ROOT, 'docs/reference/authservice-behaviour.md'), 'utf8');

interface Row {
  readonly id: string;
  readonly holds: string;
  readonly tests: readonly (readonly [file: string, name: string])[];
}

const rows = TABLE.split('\n')
  .filter((line) => /^\| (?!row )[^|]+\|/.test(line))
  .map(parseRow);

function parseRow(line: string): Row {
  const [, id = '', holds = '', tests = ''] = line.split('|').map((cell) => cell.trim());
  const named = tests.split('; ').flatMap((part) => {
    const [, file = '', names = ''] = /^`([^`]+)`: (.*)$/.exec(part) ?? assert.fail(`${id}: ${part}`);
    return [...names.matchAll(/"([^"]+)"/g)].map(([, name = '']) => [file, name] as const);
  });
  return { id, holds, tests: named };
}

test('every row of the AuthService’s behaviour names tests that are there', () => {
  const sources = new Map<string, string>();
  for (const { id, tests } of rows) {
    assert.notEqual(tests.length, 0, `${id} has no test`);
    for (const [file, name] of tests) {
      assert.ok(existsSync(path.join(ROOT, file)), `${id}: ${file}`);
      const source = sources.get(file) ?? readFileSync(path.join(ROOT, file), 'utf8');
      sources.set(file, source);
      const isThere = ["'", '"', '`'].some((quote) =>
        ['test(', 'it('].some((call) =>
          new RegExp(`\\b${escape(call)}\\s*${escape(quote + name + quote)}`).test(source),
        ),
      );
      assert.ok(isThere, `${id}: no test "${name}" in ${file}`);
    }
  }
});

test('every attack and every complaint of the reference has its row', () => {
  const ids = rows.map(({ id }) => id);
  assert.equal(new Set(ids).size, ids.length);
  const numbers = (count: number): string[] => Array.from({ length: count }, (_, index) => String(index + 1));
  for (const id of [...numbers(14).map((number) => `E${number}`), ...numbers(20)]) assert.ok(ids.includes(id), id);
});

test('a row that is different on purpose says why', () => {
  for (const { id, holds } of rows.filter((row) => row.holds.includes('**other**')))
    assert.match(holds, /\*\*other\*\*: .{20}/, id);
});

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}
