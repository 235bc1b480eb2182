import assert from 'node:assert/strict';
import { it } from 'node:test';
import { parseJsonLines } from './json-lines.ts';

async function collect(values: AsyncIterable<unknown>): Promise<unknown[]> {
  const all: unknown[] = [];
  for await (const value of values) all.push(value);
  return all;
}

async function* chunks(...parts: (string | Buffer)[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part as string);
}

it('joins lines that come in pieces', async () => {
  const bytes = Buffer.from('{"a":"é€😀"}\n[1]\n\n2\n');
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const values = await collect(parseJsonLines(chunks(bytes.subarray(0, cut), bytes.subarray(cut)), 100));
    assert.deepEqual(values, [{ a: 'é€😀' }, [1], 2]);
  }
});

it('refuses a line longer than the limit before it ends', async () => {
  const endless = async function* (): AsyncGenerator<Buffer> {
    for (;;) yield Buffer.alloc(40, 'x');
  };
  await assert.rejects(collect(parseJsonLines(endless(), 100)), { code: 'KUBE_STREAM_INVALID' });
});

it('refuses a line that is not JSON without quoting it', async () => {
  await assert.rejects(collect(parseJsonLines(chunks('secret-stuff\n'), 100)), /a line that is not JSON$/);
});
