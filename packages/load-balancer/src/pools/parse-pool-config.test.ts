import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parsePoolConfig } from './parse-pool-config.ts';
import { poolSize } from './pool.ts';
import { locateProblems, renderProblems, summariseProblems } from './render-problems.ts';

const SEED = `
address-pools:
- name: default
  protocol: layer2
  addresses:
  - 10.0.0.100-10.0.0.110
`;

const problemsOf = (text: string): string[] => {
  const parsed = parsePoolConfig(text);
  return parsed.kind === 'invalid' ? parsed.problems.map((problem) => summariseProblems([problem])) : [];
};

const pool = (fields: string): string => `address-pools:\n- ${fields.trim().replaceAll('\n', '\n  ')}\n`;

describe('parsePoolConfig', () => {
  it("reads the seed's configuration", () => {
    const parsed = parsePoolConfig(SEED);
    assert.equal(parsed.kind, 'pools');
    const [only] = parsed.kind === 'pools' ? parsed.pools : [];
    assert.deepEqual(
      [only?.name, only?.autoAssign, only?.avoidBuggyIps, only && poolSize(only)],
      ['default', true, false, 11n],
    );
  });

  it('reads an empty text as no pools', () => {
    for (const text of ['', '# nothing\n', '{}', 'address-pools: []', 'address-pools:'])
      assert.deepEqual(parsePoolConfig(text), { kind: 'pools', pools: [] });
  });

  for (const [what, text, expected] of [
    ['no YAML', '{', /could not parse config/],
    ['a list on top', '- a', /top level is not a mapping/],
    ['an unknown key on top', 'address-pool: []', /^address-pool: unknown field; known are address-pools$/],
    ['BGP peers', 'peers: []', /BGP is not supported/],
    ['pools that are no list', 'address-pools: {}', /must be a list/],
    ['a pool that is no mapping', 'address-pools: [a]', /must be a mapping/],
    ['a missing name', pool('protocol: layer2\naddresses: [10.0.0.0/24]'), /missing pool name/],
    ['a number as name', pool('name: 1\nprotocol: layer2\naddresses: [10.0.0.0/24]'), /put it in quotes/],
    ['a missing protocol', pool('name: a\naddresses: [10.0.0.0/24]'), /missing the protocol field/],
    ['the protocol bgp', pool('name: a\nprotocol: bgp\naddresses: [10.0.0.0/24]'), /"bgp" is not supported/],
    ['an unknown protocol', pool('name: a\nprotocol: arp\naddresses: [10.0.0.0/24]'), /unknown protocol "arp"/],
    ['no addresses', pool('name: a\nprotocol: layer2'), /pool has no prefixes defined/],
    ['an empty list of addresses', pool('name: a\nprotocol: layer2\naddresses: []'), /pool has no prefixes defined/],
    [
      'a bad CIDR',
      pool('name: a\nprotocol: layer2\naddresses: [10.0.0.0/33]'),
      /invalid CIDR "10.0.0.0\/33" in pool "a"/,
    ],
    ['a number as address', pool('name: a\nprotocol: layer2\naddresses: [10]'), /must be a CIDR or a range/],
    [
      'overlap inside a pool',
      pool('name: a\nprotocol: layer2\naddresses: [10.0.0.0/24, 10.0.0.5-10.0.0.6]'),
      /overlaps with already defined CIDR "10.0.0.0\/24"/,
    ],
    [
      'a text as boolean',
      pool('name: a\nprotocol: layer2\naddresses: [10.0.0.0/24]\nauto-assign: maybe'),
      /must be true or false/,
    ],
    ['an unknown pool key', pool('name: a\nprotocol: layer2\naddresses: [10.0.0.0/24]\ncidr: [x]'), /unknown field/],
    [
      'BGP advertisements in a pool',
      pool('name: a\nprotocol: layer2\naddresses: [10.0.0.0/24]\nbgp-advertisements: []'),
      /BGP is not supported/,
    ],
  ] as const) {
    it(`refuses ${what}`, () => {
      const problems = problemsOf(text);
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.match(problems[0] ?? '', expected);
    });
  }

  it('tells every mistake at once, each with its place', () => {
    const text =
      'address-pools:\n- name: a\n  protocol: arp\n  addresses: [x, 10.0.0.0/24]\n- name: a\n  addresses: [10.0.0.7/32]\n';
    assert.deepEqual(
      problemsOf(text).map((problem) => problem.split(':')[0]),
      [
        'address-pools[0].addresses[0]',
        'address-pools[0].protocol',
        'address-pools[1].name',
        'address-pools[1].addresses[0]',
        'address-pools[1].protocol',
      ],
    );
  });

  it('shows line and column of a mistake', async () => {
    const text = 'address-pools:\n- name: a\n  protocol: arp\n  addresses: [10.0.0.0/24]\n';
    const parsed = parsePoolConfig(text);
    assert.ok(parsed.kind === 'invalid');
    assert.equal(
      renderProblems(text, await locateProblems(text, parsed.problems)),
      'address-pools[0].protocol: unknown protocol "arp" (line 3)\n      protocol: arp\n                ^',
    );
  });
});
