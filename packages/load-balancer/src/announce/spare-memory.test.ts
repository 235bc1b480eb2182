import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { spareRanges } from './spare-memory.ts';

const mapping = (head: string, rss: number, anonymous: number): string =>
  `${head}\nSize: 9000 kB\nRss:          ${rss} kB\nPrivate_Dirty:  0 kB\nAnonymous:  ${anonymous} kB\nVmFlags: rd\n`;

it('gives back only what is the same as its file', () => {
  const smaps = [
    mapping('400000-500000 r-xp 00000000 08:01 42   /usr/bin/node', 1000, 0),
    mapping('500000-600000 rw-p 00000000 08:01 42   /usr/bin/node', 1000, 0),
    mapping('600000-700000 r--p 00000000 08:01 42   /usr/bin/node', 1000, 8),
    mapping('700000-800000 r-xp 00000000 00:00 0 ', 1000, 0),
    mapping('800000-900000 r--s 00000000 08:01 43   /data', 1000, 0),
    mapping('900000-a00000 r--p 00000000 08:01 44   /lib/small.so', 8, 0),
    mapping('7f0000000000-7f0000100000 r--p 00000000 08:01 45   /lib/libc.so', 500, 0),
  ].join('');
  assert.deepEqual(spareRanges(smaps), [
    { from: 0x400000n, length: 0x100000 },
    { from: 0x7f0000000000n, length: 0x100000 },
  ]);
});

it('finds the text of the program that runs', { skip: process.platform !== 'linux' && 'needs /proc' }, () => {
  assert.ok(spareRanges(readFileSync('/proc/self/smaps', 'utf8')).length > 0);
});
