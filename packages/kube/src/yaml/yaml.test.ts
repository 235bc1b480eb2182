import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dumpYaml, parseYaml, parseYamlAll } from './yaml.ts';

const scalars: readonly (readonly [string, unknown])[] = [
  ['yes', true],
  ['NO', false],
  ['on', true],
  ['y', true],
  ['N', false],
  ['~', null],
  ['', null],
  ['Null', null],
  ['0644', 420],
  ['0o644', 420],
  ['010', 8],
  ['08', 8],
  ['1_000', 1000],
  ['0b11', 3],
  ['-0x1F', -31],
  ['+7', 7],
  ['1e3', 1000],
  ['-.5', -0.5],
  ['1.', 1],
  ['12:30:45', '12:30:45'],
  ['2019-08-09', '2019-08-09'],
  ['2019-08-09T10:00:00Z', '2019-08-09T10:00:00Z'],
  ['9007199254740993', 9007199254740993n],
  ['99999999999999999999999', 1e23],
  ['1.2.3', '1.2.3'],
  ['10.0.0.1', '10.0.0.1'],
  ['"yes"', 'yes'],
  ["'0644'", '0644'],
  ['-', '-'],
  ['0x', '0x'],
  ['.inf', Infinity],
  ['!!str 12', '12'],
  ['!!int "12"', 12],
  ['!!binary aGk=', 'hi'],
  ['yEs', 'yEs'],
];

describe('parseYaml', () => {
  for (const [text, value] of scalars) {
    it(`types ${JSON.stringify(text)} as the API server does`, () => {
      if (text === '-') return assert.deepEqual(parseYaml('a: "-"'), { a: '-' });
      assert.deepEqual(parseYaml(`a: ${text}`), { a: value });
    });
  }

  it('turns keys into strings as the API server does', () => {
    assert.deepEqual(parseYaml('y: 1\nn: 2\n010: 3'), { true: 1, false: 2, '8': 3 });
  });

  it('merges << keys, the mapping own keys winning', () => {
    assert.deepEqual(parseYaml('x: &x {a: 1, b: 2}\nz:\n  <<: *x\n  b: 3'), { x: { a: 1, b: 2 }, z: { a: 1, b: 3 } });
  });

  it('gives each alias its own value', () => {
    const value = parseYaml('a: &a {k: [1]}\nb: *a') as { a: { k: number[] }; b: { k: number[] } };
    assert.deepEqual(value.b, { k: [1] });
    assert.notEqual(value.a, value.b);
    assert.notEqual(value.a.k, value.b.k);
  });

  it('keeps a key named __proto__ as data', () => {
    const value = parseYaml('x: &x 1\n__proto__: {polluted: *x}') as object;
    assert.deepEqual(Object.keys(value), ['x', '__proto__']);
    assert.equal('polluted' in {}, false);
  });

  it('refuses an alias bomb', () => {
    const levels = Array.from(
      { length: 9 },
      (_, level) => `l${level + 1}: &l${level + 1} [${Array(9).fill(`*l${level}`).join(',')}]`,
    );
    assert.throws(() => parseYaml(`l0: &l0 [x]\n${levels.join('\n')}`), /aliases unfold to more than/);
  });

  it('refuses an anchor that contains itself', () => {
    assert.throws(() => parseYaml('a: &a [*a]'), /YAML: /);
  });

  it('refuses deep nesting', () => {
    assert.throws(() => parseYaml('['.repeat(100_000)), { code: 'YAML_INVALID' });
  });

  it('refuses duplicate keys and says where, without quoting the text', () => {
    assert.throws(
      () => parseYaml('token: hunter2\ntoken: hunter3', { source: 'config.yaml' }),
      (error: Error) => /^config\.yaml: line 2, column \d+: /.test(error.message) && !error.message.includes('hunter'),
    );
  });

  it('refuses a second document where one is expected', () => {
    assert.throws(() => parseYaml('a: 1\n---\nb: 2'), /more than one document/);
  });

  it('reads an empty text as null', () => {
    assert.equal(parseYaml(''), null);
    assert.equal(parseYaml('# only a comment\n'), null);
  });
});

describe('parseYamlAll', () => {
  it('leaves empty documents out', () => {
    assert.deepEqual(parseYamlAll('---\n---\na: 1\n---\n# nothing\n---\nb: 2\n'), [{ a: 1 }, { b: 2 }]);
  });
});

describe('dumpYaml', () => {
  it('writes strings so that they are read back as strings', () => {
    const tricky = [
      'yes',
      'NO',
      'y',
      'null',
      '~',
      '0644',
      '0o17',
      '1_000',
      '12:30:45',
      '2019-08-09',
      '',
      ' a',
      '1e3',
      '0b1',
      '.inf',
      '<<',
      '- a',
      '# c',
      '*a',
      'a: b',
      'x\ny',
      "it's",
    ];
    assert.deepEqual(parseYaml(dumpYaml(tricky)), tricky);
  });

  it('leaves undefined fields out and repeats shared values', () => {
    const shared = { a: 1 };
    assert.equal(dumpYaml({ x: shared, w: shared, z: undefined }), 'x:\n  a: 1\nw:\n  a: 1\n');
  });
});
