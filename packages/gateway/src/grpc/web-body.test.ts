import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Base64Decoder, MessageScanner } from './web-body.ts';

/** Every way to cut a text in three. */
function* cuts(bytes: Buffer): Generator<readonly Buffer[]> {
  for (let first = 0; first <= bytes.length; first += 1) {
    for (let second = first; second <= bytes.length; second += 1) {
      yield [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)];
    }
  }
}

describe('base64 in pieces', () => {
  test('is the same however it is cut, with padding in its middle too', () => {
    const encoded = Buffer.from(['hello', 'a', 'bc', 'defghi'].map((word) => btoa(word)).join(''));
    for (const pieces of cuts(encoded)) {
      const decoder = new Base64Decoder();
      const decoded = pieces.map((piece) => decoder.push(piece) ?? Buffer.from('bad'));
      assert.equal(Buffer.concat(decoded).toString(), 'helloabcdefghi');
      assert.equal(decoder.isBetween, true);
    }
  });

  test('is refused however it is cut when it is none', () => {
    for (const bad of ['AAAA=AAA', 'AA=AAAAA', '====', 'A===', 'AA\\nAA', 'AAAA AAA', 'AAéA']) {
      for (const pieces of cuts(Buffer.from(bad, 'latin1'))) {
        const decoder = new Base64Decoder();
        const isTaken = pieces.every((piece) => decoder.push(piece) !== undefined) && decoder.isBetween;
        assert.equal(isTaken, false, `${bad} as ${pieces.join('|')}`);
      }
    }
  });
});

describe('messages in a body', () => {
  const message = (flags: number, text: string): Buffer => {
    const prefix = Buffer.from([flags, 0, 0, 0, text.length]);
    return Buffer.concat([prefix, Buffer.from(text)]);
  };

  test('are followed however the body is cut', () => {
    for (const pieces of cuts(Buffer.concat([message(0, 'one'), message(1, ''), message(0, 'three')]))) {
      const scanner = new MessageScanner();
      assert.ok(pieces.every((piece) => scanner.push(piece)));
      assert.equal(scanner.isBetween, true);
    }
  });

  test('have a length of four bytes', () => {
    const scanner = new MessageScanner();
    assert.ok(scanner.push(Buffer.from([0, 0xff, 0xff, 0xff, 0xff])));
    assert.equal(scanner.isBetween, false);
    const most = Buffer.alloc(0x0100_0000 - 1, 0xff);
    for (let piece = 0; piece < 256; piece += 1) assert.ok(scanner.push(most));
    assert.equal(scanner.isBetween, false);
    assert.ok(scanner.push(Buffer.alloc(255, 0xff)));
    assert.equal(scanner.isBetween, true);
  });

  test('with flags that requests do not have are refused, and none is taken for whole that is not', () => {
    for (const flags of [2, 0x80, 0x81, 0xff]) {
      for (const pieces of cuts(Buffer.concat([message(0, 'one'), message(flags, '')]))) {
        const scanner = new MessageScanner();
        assert.equal(
          pieces.every((piece) => scanner.push(piece)),
          false,
        );
      }
    }
    for (let length = 1; length < 8; length += 1) {
      const scanner = new MessageScanner();
      assert.ok(scanner.push(message(0, 'one').subarray(0, length)));
      assert.equal(scanner.isBetween, false);
    }
  });
});
