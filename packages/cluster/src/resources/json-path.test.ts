import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseJsonPath, readJsonPath } from './json-path.ts';

const object = { items: [{ type: 'a' }, { type: 'b' }, { type: 'c' }] };

for (const [text, found] of [
  ['.items[0].type', ['a']],
  ['.items[-1].type', ['c']],
  ['.items[-1:].type', ['c']],
  ['.items[:2].type', ['a', 'b']],
  ['.items[1:].type', ['b', 'c']],
  ['.items[:].type', ['a', 'b', 'c']],
  ['.items[0:1].missing', []],
  ['.items[?(@.type=="b")].type', ['b']],
  ['{$.items[*].type}', ['a', 'b', 'c']],
] as const) {
  test(`${text} leads to ${found.join(', ') || 'nothing'}`, () => {
    const path = parseJsonPath(text);
    assert.ok(path !== undefined);
    assert.deepEqual(readJsonPath(object, path), found);
  });
}

test('what is not understood is no path', () => assert.equal(parseJsonPath('.items[a:b]'), undefined));
