import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import type { Readable } from 'node:stream';
import { describe, test } from 'node:test';
import { createReplayBudget, ReplayBody } from './replay-body.ts';

async function textOf(body: Readable): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of body) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

describe('a body that is kept', () => {
  test('is whole at each opening, whatever came before and after it', async () => {
    const source = new PassThrough();
    const body = new ReplayBody(source, createReplayBudget(10_000));
    source.write('one ');
    const first = body.open();
    assert.equal(String(await new Promise((resolve) => first.once('data', resolve))), 'one ');
    source.write('two ');
    const second = textOf(body.open());
    source.end('three');
    assert.equal(await second, 'one two three');
    assert.equal(await textOf(body.open()), 'one two three');
  });

  test('costs more than its bytes, and no more than all requests together may keep', async () => {
    const budget = createReplayBudget(1_000);
    const bodyOf = async (pieces: number): Promise<ReplayBody> => {
      const source = new PassThrough();
      const body = new ReplayBody(source, budget);
      const read = textOf(body.open());
      for (let piece = 0; piece < pieces; piece += 1) {
        source.write('x');
        await new Promise((resolve) => setImmediate(resolve));
      }
      source.end();
      assert.equal(await read, 'x'.repeat(pieces));
      return body;
    };
    const first = await bodyOf(3);
    assert.equal(first.isWhole, true);
    assert.equal((await bodyOf(3)).isWhole, false);
    first.release();
    assert.equal((await bodyOf(3)).isWhole, true);
    assert.equal((await bodyOf(4)).isWhole, false);
  });

  test('breaks off where its source does, and is then not kept', async () => {
    const source = new PassThrough();
    const body = new ReplayBody(source, createReplayBudget(10_000));
    const read = textOf(body.open());
    source.write('half');
    source.destroy();
    await assert.rejects(read);
    assert.equal(body.isWhole, false);
    await assert.rejects(textOf(body.open()));
  });
});
