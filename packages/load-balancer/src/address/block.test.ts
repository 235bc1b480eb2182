import assert from 'node:assert/strict';
import { isIPv6 } from 'node:net';
import { describe, it } from 'node:test';
import { parseAddress } from './address.ts';
import { countBuggy, parseBlock } from './block.ts';

describe('parseAddress', () => {
  for (const [text, canonical] of [
    ['10.0.0.1', '10.0.0.1'],
    ['255.255.255.255', '255.255.255.255'],
    ['::', '::'],
    ['::1', '::1'],
    ['1::', '1::'],
    ['2001:DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['::ffff:10.0.0.1', '::ffff:a00:1'],
    ['fe80::1:2:3:4', 'fe80::1:2:3:4'],
  ] as const) {
    it(`reads ${text} as ${canonical}`, () => {
      const address = parseAddress(text);
      assert.equal(address?.text, canonical);
      assert.equal(parseAddress(canonical)?.value, address?.value);
    });
  }

  for (const text of [
    '',
    '10.0.0',
    '10.0.0.256',
    '010.0.0.1',
    '10.0.0.1 ',
    '10.0.0.1/32',
    'fe80::1%eth0',
    '1:2:3:4:5:6:7:8:9',
    ':::',
    'host',
  ]) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.equal(parseAddress(text), undefined));
  }

  it('writes what it can read again, for any groups', () => {
    let seed = 7;
    for (let round = 0; round < 2000; round += 1) {
      const groups = Array.from({ length: 8 }, () => {
        seed = (seed * 1_103_515_245 + 12_345) % 2_147_483_648;
        return seed % 3 === 0 ? (seed % 65_536).toString(16) : '0';
      });
      const address = parseAddress(groups.join(':'));
      assert.ok(address !== undefined && isIPv6(address.text), groups.join(':'));
      assert.equal(parseAddress(address.text)?.value, address.value);
    }
  });
});

describe('parseBlock', () => {
  const read = (text: string): string => {
    const parsed = parseBlock(text);
    return parsed.kind === 'invalid' ? parsed.reason : `${parsed.block.first}..${parsed.block.last}`;
  };

  it('reads CIDRs with their host bits masked off', () => {
    assert.equal(read('0.0.1.7/24'), '256..511');
    assert.equal(read('0.0.0.9/32'), '9..9');
    assert.equal(read('0.0.0.0/0'), `0..${2 ** 32 - 1}`);
    assert.equal(read('::10/124'), '16..31');
  });

  it('reads ranges, with or without space', () => {
    assert.equal(read('0.0.0.1-0.0.0.9'), '1..9');
    assert.equal(read(' 0.0.0.1 - 0.0.0.9 '), '1..9');
    assert.equal(read('::1-::ff'), '1..255');
  });

  it('refuses what is neither, and says why', () => {
    assert.match(read('10.0.0.0/33'), /invalid CIDR/);
    assert.match(read('10.0.0.400/24'), /invalid CIDR/);
    assert.match(read('10.0.0.1'), /write 10\.0\.0\.1\/32/);
    assert.match(read('10.0.0.9-10.0.0.1'), /start IP "10.0.0.9" is after the end IP "10.0.0.1"/);
    assert.match(read('10.0.0.1-::1'), /different families/);
    assert.match(read('10.0.0.1-10.0.0.2-10.0.0.3'), /invalid IP range/);
    assert.match(read('a-b'), /invalid IP range/);
  });

  it('counts addresses that old equipment does not like', () => {
    const count = (text: string): bigint => {
      const parsed = parseBlock(text);
      return parsed.kind === 'block' ? countBuggy(parsed.block) : -1n;
    };
    assert.equal(count('10.0.0.0/24'), 2n);
    assert.equal(count('10.0.0.1-10.0.0.254'), 0n);
    assert.equal(count('10.0.0.255-10.0.1.0'), 2n);
    assert.equal(count('0.0.0.0/22'), 8n);
    assert.equal(count('::/120'), 0n);
  });
});
