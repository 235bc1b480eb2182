import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseAddress } from '../address/address.ts';
import type { Address } from '../address/address.ts';
import { parseBlock } from '../address/block.ts';
import type { Pool } from '../pools/pool.ts';
import { Allocator } from './allocator.ts';
import type { Claim, Wish } from './allocator.ts';

export const address = (text: string): Address => {
  const parsed = parseAddress(text);
  assert.ok(parsed);
  return parsed;
};

export const pool = (name: string, blocks: readonly string[], more: Partial<Pool> = {}): Pool => ({
  name,
  protocol: 'layer2',
  autoAssign: true,
  avoidBuggyIps: false,
  blocks: blocks.map((text) => {
    const parsed = parseBlock(text);
    assert.ok(parsed.kind === 'block', text);
    return parsed.block;
  }),
  ...more,
});

const claim = (service: string, more: Partial<Claim> = {}): Claim => ({
  service,
  ports: ['TCP/80'],
  sharingKey: '',
  backendKey: '',
  ...more,
});
const wish = (service: string, more: Partial<Wish> = {}): Wish => ({
  ...claim(service),
  families: ['IPv4'],
  addresses: [],
  ...more,
});

/** `ok ADDRESS` or the reason. */
const take = (allocator: Allocator, who: Claim, ...texts: string[]): string => {
  const outcome = allocator.assign(who, texts.map(address));
  return outcome.kind === 'ok' ? 'ok' : outcome.reason;
};

const find = (allocator: Allocator, wanted: Wish): string => {
  const outcome = allocator.allocate(wanted);
  return outcome.kind === 'ok' ? outcome.assignment.addresses.map(({ text }) => text).join(' ') : outcome.reason;
};

for (const [family, low, high, far] of [
  ['IPv4', '10.1.0.4', '10.1.0.5', '10.2.0.3'],
  ['IPv6', 'fd00:1::4', 'fd00:1::5', 'fd00:2::3'],
] as const) {
  describe(`an address that is named, ${family}`, () => {
    const create = (): Allocator => {
      const allocator = new Allocator();
      allocator.setPools(
        family === 'IPv4'
          ? [pool('p', ['10.1.0.4/31']), pool('q', ['10.2.0.0/24'], { avoidBuggyIps: true })]
          : [pool('p', ['fd00:1::4/127']), pool('q', ['fd00:2::/120'])],
      );
      return allocator;
    };

    it('goes to one service at a time', () => {
      const allocator = create();
      assert.equal(take(allocator, claim('d/a'), low), 'ok');
      assert.equal(take(allocator, claim('d/a'), low), 'ok');
      assert.match(take(allocator, claim('d/b'), low), /port TCP\/80 is already in use on/);
      assert.equal(allocator.assignmentOf('d/b'), undefined);
      assert.equal(take(allocator, claim('d/b'), high), 'ok');
      assert.notEqual(take(allocator, claim('d/a'), high), 'ok');
      assert.equal(allocator.assignmentOf('d/a')?.addresses[0]?.text, low);
      assert.equal(allocator.release('d/a'), true);
      assert.equal(allocator.release('d/a'), false);
      assert.equal(take(allocator, claim('d/b'), low), 'ok');
      assert.equal(take(allocator, claim('d/a'), high), 'ok');
    });

    it('is shared by services that agree on key, backend and different ports, and by no others', () => {
      const allocator = create();
      const share = (service: string, port: string, more: Partial<Claim> = {}): string =>
        take(allocator, claim(service, { ports: [port], sharingKey: 'k', ...more }), far);
      assert.equal(take(allocator, claim('d/d', { sharingKey: 'first' }), far), 'ok');
      assert.equal(share('d/d', 'TCP/80'), 'ok');
      assert.match(share('d/c', 'TCP/80'), /already in use/);
      assert.match(
        share('d/c', 'TCP/443', { sharingKey: 'other' }),
        /can't change sharing key for "d\/c", address also in use by d\/d/,
      );
      assert.match(share('d/c', 'TCP/443', { sharingKey: '' }), /sharing key/);
      assert.match(share('d/c', 'TCP/443', { backendKey: 'app=x' }), /sharing key/);
      assert.equal(share('d/c', 'TCP/443'), 'ok');
      assert.equal(share('d/c', 'UDP/80'), 'ok');
      assert.match(share('d/c', 'UDP/80', { sharingKey: 'new' }), /sharing key/);
      assert.match(share('d/c', 'UDP/80', { backendKey: 'app=x' }), /sharing key/);
      assert.equal(allocator.inUse('q'), 1);
    });
  });
}

describe('an address that no pool may give', () => {
  it('is refused: outside, or ending in .0 and .255 where those are avoided', () => {
    const allocator = new Allocator();
    allocator.setPools([pool('q', ['10.2.0.0/24'], { avoidBuggyIps: true })]);
    for (const text of ['10.3.0.1', '10.2.0.0', '10.2.0.255', 'fd00::1'])
      assert.match(take(allocator, claim('d/c'), text), /is not allowed in config/);
    assert.equal(take(allocator, claim('d/c'), '10.2.0.254'), 'ok');
  });
});

describe('allocation', () => {
  it('fills a named pool in order, then waits, then follows a release', () => {
    const allocator = new Allocator();
    allocator.setPools([pool('other', ['10.9.0.0/16']), pool('p', ['10.1.0.0/31', '10.1.0.8/31'])]);
    const from = (service: string, more: Partial<Wish> = {}): string =>
      find(allocator, wish(service, { pool: 'p', ...more }));
    assert.deepEqual(
      ['d/1', 'd/2', 'd/3', 'd/4'].map((service) => from(service)),
      ['10.1.0.0', '10.1.0.1', '10.1.0.8', '10.1.0.9'],
    );
    assert.equal(from('d/5'), 'no available IPs in pool "p"');
    allocator.release('d/2');
    assert.equal(from('d/5'), '10.1.0.1');
    assert.equal(from('d/6'), 'no available IPs in pool "p"');
    allocator.release('d/5');
    assert.equal(from('d/5', { sharingKey: 'k' }), '10.1.0.1');
    assert.equal(from('d/6', { sharingKey: 'k', ports: ['TCP/443'] }), '10.1.0.1');
    assert.equal(from('d/7', { pool: 'nope' }), 'unknown pool "nope"');
  });

  it('uses pools in their order, and a manual pool only on request', () => {
    const allocator = new Allocator();
    allocator.setPools([
      pool('manual', ['10.1.0.6/32'], { autoAssign: false }),
      pool('a', ['10.2.0.0/32']),
      pool('b', ['10.3.0.0/32']),
    ]);
    assert.deepEqual(
      ['d/1', 'd/2', 'd/3'].map((service) => find(allocator, wish(service))),
      ['10.2.0.0', '10.3.0.0', 'no available IPs'],
    );
    assert.equal(find(allocator, wish('d/3', { addresses: [address('10.1.0.6')] })), '10.1.0.6');
  });

  it('avoids what old equipment does not like', () => {
    const allocator = new Allocator();
    allocator.setPools([pool('a', ['10.1.0.0/31', '10.1.0.254/31'], { avoidBuggyIps: true })]);
    assert.deepEqual(
      ['d/1', 'd/2', 'd/3'].map((service) => find(allocator, wish(service))),
      ['10.1.0.1', '10.1.0.254', 'no available IPs'],
    );
  });

  it('takes both addresses of a dual-stack service from one pool, or none', () => {
    const allocator = new Allocator();
    allocator.setPools([pool('v4', ['10.1.0.0/32']), pool('both', ['10.2.0.0/32', 'fd00::/128'])]);
    const both = { families: ['IPv4', 'IPv6'] } as const;
    assert.equal(find(allocator, wish('d/1', both)), '10.2.0.0 fd00::');
    assert.equal(find(allocator, wish('d/2', both)), 'no available IPs');
    assert.match(
      find(allocator, wish('d/3', { ...both, addresses: [address('10.1.0.0'), address('fd00::')] })),
      /are not of one pool/,
    );
    assert.equal(find(allocator, wish('d/4')), '10.1.0.0');
  });

  it('refuses an address together with another pool', () => {
    const allocator = new Allocator();
    allocator.setPools([pool('a', ['10.1.0.0/24']), pool('b', ['10.2.0.0/24'])]);
    assert.match(
      find(allocator, wish('d/1', { addresses: [address('10.1.0.7')], pool: 'b' })),
      /is in pool "a", not in the requested pool "b"/,
    );
  });
});

describe('new pools', () => {
  const start = (): Allocator => {
    const allocator = new Allocator();
    allocator.setPools([pool('a', ['10.1.0.0/30'])]);
    find(allocator, wish('d/1'));
    return allocator;
  };

  for (const [what, pools, homeless] of [
    ['the same', [pool('a', ['10.1.0.0/30'])], []],
    ['larger', [pool('a', ['10.1.0.0/24'])], []],
    ['smaller, the address in it', [pool('a', ['10.1.0.0/32'])], []],
    ['smaller, the address out of it', [pool('a', ['10.1.0.2/31'])], ['d/1']],
    ['renamed', [pool('b', ['10.1.0.0/30'])], []],
    ['split in two', [pool('x', ['10.1.0.2/31']), pool('y', ['10.1.0.0/31'])], []],
    ['none', [], ['d/1']],
    ['avoiding the address', [pool('a', ['10.1.0.0/30'], { avoidBuggyIps: true })], ['d/1']],
  ] as const) {
    it(`that are ${what} take the address from ${homeless.length} services`, () => {
      const allocator = start();
      assert.deepEqual(allocator.setPools(pools), homeless);
      assert.equal(allocator.assignmentOf('d/1') === undefined, homeless.length === 1);
      const holder = pools.find(({ blocks }) =>
        blocks.some(({ first, last }) => first <= address('10.1.0.0').value && address('10.1.0.0').value <= last),
      );
      if (homeless.length === 0) assert.equal(allocator.assignmentOf('d/1')?.pool, holder?.name);
    });
  }
});
