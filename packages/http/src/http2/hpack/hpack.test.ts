import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { MAX_TABLE_BYTES } from './dynamic-table.ts';
import { HpackDecoder } from './decoder.ts';
import { HpackEncoder, NO_ROOM } from './encoder.ts';
import { HUFFMAN_CODES } from './huffman-code.ts';
import { decodeHuffman, encodeHuffman } from './huffman.ts';

type Line = `${string}: ${string}`;

/** The fields of a block; undefined when it is none. */
function read(decoder: HpackDecoder, block: Buffer): Line[] | undefined {
  const lines: Line[] = [];
  const isGood = decoder.decode(
    { bytes: block, at: 0, end: block.length },
    {
      take: ({ name, value }) => void lines.push(`${name}: ${value}`),
    },
  );
  return isGood ? lines : undefined;
}

const hex = (text: string): Buffer => Buffer.from(text.replaceAll(/\s/g, ''), 'hex');

/** A text without Huffman coding, below 127 bytes. */
const text = (value: string): Buffer => Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')]);
const kept = (name: string, value: string): Buffer => Buffer.concat([hex('40'), text(name), text(value)]);

describe('the Huffman code', () => {
  test('leaves no bit pattern unused', () => {
    assert.equal(HUFFMAN_CODES.length, 257);
    assert.equal(
      HUFFMAN_CODES.reduce((sum, { length }) => sum + 2 ** -length, 0),
      1,
    );
    assert.deepEqual(HUFFMAN_CODES[256], { bits: 0x3f_ff_ff_ff, length: 30 });
  });

  test('gives what RFC 7541 appendix C gives', () => {
    assert.equal(encodeHuffman('www.example.com').toString('hex'), 'f1e3c2e5f23a6ba0ab90f4ff');
    assert.equal(encodeHuffman('no-cache').toString('hex'), 'a8eb10649cbf');
    assert.equal(encodeHuffman('302').toString('hex'), '6402');
    assert.equal(
      encodeHuffman('Mon, 21 Oct 2013 20:13:21 GMT').toString('hex'),
      'd07abe941054d444a8200595040b8166e082a62d1bff',
    );
  });

  test('brings every text back', () => {
    for (let first = 0; first < 256; first += 1) {
      for (const second of [0, 48, 97, 128, 255]) {
        const value = String.fromCharCode(first, second, first);
        const coded = encodeHuffman(value);
        assert.equal(decodeHuffman(coded, 0, coded.length), value);
      }
    }
  });

  test('refuses padding of eight bits or of zeros, and the end of the string written out', () => {
    for (const bad of ['1fff', 'ff', '07ff', '18', 'ffffffff', 'fffffffc', '1ffffffffc'])
      assert.equal(decodeHuffman(hex(bad), 0, bad.length / 2), undefined, bad);
    assert.equal(decodeHuffman(hex('1f'), 0, 1), 'a');
    assert.equal(decodeHuffman(hex('07'), 0, 1), '0');
  });
});

describe('a decoder', () => {
  test('reads three requests that build on each other (RFC 7541 appendix C.3 and C.4)', () => {
    const head: Line[] = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com'];
    const secure: Line[] = [':method: GET', ':scheme: https', ':path: /index.html', ':authority: www.example.com'];
    for (const blocks of [
      [
        '828684410f7777772e6578616d706c652e636f6d',
        '828684be58086e6f2d6361636865',
        '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
      ],
      [
        '828684418cf1e3c2e5f23a6ba0ab90f4ff',
        '828684be5886a8eb10649cbf',
        '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
      ],
    ]) {
      const decoder = new HpackDecoder();
      const lines = blocks.map((block) => read(decoder, hex(block)));
      assert.deepEqual(lines, [head, [...head, 'cache-control: no-cache'], [...secure, 'custom-key: custom-value']]);
    }
  });

  test('forgets the oldest fields when the table is full', () => {
    const decoder = new HpackDecoder();
    const big = 'x'.repeat(100);
    // 137 bytes each: 29 fit.
    for (let index = 0; index < 40; index += 1)
      assert.ok(read(decoder, kept(`n${String(index).padStart(4, '0')}`, big)));
    assert.deepEqual(read(decoder, Buffer.from([0x80 | 62])), [`n0039: ${big}`]);
    assert.deepEqual(read(decoder, Buffer.from([0x80 | (62 + 28)])), [`n0011: ${big}`]);
    assert.equal(read(decoder, Buffer.from([0x80 | (62 + 29)])), undefined);
  });

  test('empties the table for a field that is larger than all of it', () => {
    const decoder = new HpackDecoder();
    read(decoder, kept('a', 'b'));
    const length = hex('7f 81 1f');
    assert.ok(read(decoder, Buffer.concat([hex('40'), text('big'), length, Buffer.alloc(4_096, 'x')])));
    assert.equal(read(decoder, hex('be')), undefined);
  });

  test('follows the sizes that a peer sets, two at a time, and none above what was agreed on', () => {
    const decoder = new HpackDecoder();
    read(decoder, kept('a', 'b'));
    assert.deepEqual(read(decoder, hex('20 3fe11f 82')), [':method: GET']);
    assert.equal(read(decoder, hex('be')), undefined, 'a table of size 0 kept a field');
    for (const bad of ['3fe21f', '20 20 20', '82 20', '3f ffffffff7f'])
      assert.equal(read(new HpackDecoder(), hex(bad)), undefined, bad);
    assert.equal(MAX_TABLE_BYTES, 4_096);
  });

  test('refuses what is no block', () => {
    const bad = {
      'index zero': '80',
      'an index beyond both tables': 'be',
      'a name with such an index': '7f 00 01 61',
      'half a number': 'ff',
      'a number without end': 'ff ff ff ff ff ff ff ff ff ff',
      'a long way to write a small number': 'ff 80 80 80 80 00',
      'no name': '40',
      'no value': '40 01 61',
      'half a name': '40 05 61',
      'half a value': '40 01 61 05 61',
      'bad Huffman padding': '40 81 00 01 61',
    };
    for (const [name, block] of Object.entries(bad))
      assert.equal(read(new HpackDecoder(), hex(block)), undefined, name);
  });

  test('tells that a block has changed what others mean', () => {
    const decoder = new HpackDecoder();
    const before = decoder.version;
    read(decoder, hex('828684'));
    assert.equal(decoder.version, before);
    for (const block of [kept('a', 'b'), hex('20'), Buffer.concat([hex('40'), text('c'), text('d')])]) {
      const version = decoder.version;
      read(decoder, block);
      assert.notEqual(decoder.version, version);
    }
  });
});

describe('an encoder', () => {
  const write = (encoder: HpackEncoder, fields: readonly string[], size = 65_536): Buffer => {
    const bytes = Buffer.alloc(size);
    const end = encoder.write(fields, bytes, 0);
    assert.notEqual(end, NO_ROOM);
    return bytes.subarray(0, end);
  };

  test('writes what a decoder reads, the second time as the first', () => {
    const encoder = new HpackEncoder();
    const fields = [':status', '200', 'server', 'us', 'content-length', '1024', 'x-own', '\xe4', 'set-cookie', 'a=b'];
    fields.push(
      'x-long',
      'y'.repeat(40_000),
      'x-middle',
      'z'.repeat(127),
      'x-empty',
      '',
      'etag',
      '"1"',
      ':status',
      '299',
    );
    const lines = fields.flatMap((name, index) => (index % 2 === 0 ? [`${name}: ${fields[index + 1]}`] : []));
    for (let times = 0; times < 3; times += 1)
      assert.deepEqual(read(new HpackDecoder(), write(encoder, fields)), lines);
  });

  test('needs one byte for a usual status, and says of secrets that no table may keep them', () => {
    assert.equal(write(new HpackEncoder(), [':status', '200']).toString('hex'), '88');
    assert.equal(write(new HpackEncoder(), ['set-cookie', 'a']).toString('hex'), '1f280161');
  });

  test('leaves out what belongs to a connection, and what is no name', () => {
    const fields = [
      'Connection',
      'close',
      'transfer-encoding',
      'chunked',
      'a b',
      'c',
      '',
      'd',
      ':path',
      '/',
      'X-Good',
      'yes',
    ];
    assert.deepEqual(read(new HpackDecoder(), write(new HpackEncoder(), fields)), ['x-good: yes']);
  });

  test('says that there is no room, and writes nothing behind the end', () => {
    const encoder = new HpackEncoder();
    for (const fields of [
      ['server', 'kfctl'],
      ['x-long', 'y'.repeat(200)],
      ['set-cookie', 'z'.repeat(50)],
    ]) {
      const { length } = write(encoder, fields);
      for (let size = 0; size < length; size += 1) assert.equal(encoder.write(fields, Buffer.alloc(size), 0), NO_ROOM);
    }
  });
});
