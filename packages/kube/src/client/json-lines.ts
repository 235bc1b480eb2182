/** Owns splitting of a byte stream into JSON values, one a line; lines are bounded, characters are never cut. */
import { AppError } from '@kfctl/core';

const NEWLINE = 0x0a;

/** The JSON values of a newline-separated stream. Throws `KUBE_STREAM_INVALID` on a line that is too long or not JSON. */
export async function* parseJsonLines(stream: AsyncIterable<Buffer>, maxLineBytes: number): AsyncGenerator<unknown> {
  let parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      parts.push(chunk.subarray(start, end));
      requireSize(size + end - start, maxLineBytes);
      const line = parts.length === 1 ? parts[0] : Buffer.concat(parts);
      parts = [];
      size = 0;
      start = end + 1;
      if (line !== undefined && line.length > 0) yield parseLine(line);
    }
    if (start === chunk.length) continue;
    size += chunk.length - start;
    requireSize(size, maxLineBytes);
    parts.push(chunk.subarray(start));
  }
  // A last line without its newline was cut by a broken connection: it is dropped, the caller continues from the line before.
}

function requireSize(size: number, maxBytes: number): void {
  if (size > maxBytes)
    throw new AppError('KUBE_STREAM_INVALID', `the API server sent a line of more than ${maxBytes} bytes`);
}

function parseLine(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString('utf8')) as unknown;
  } catch (cause) {
    throw new AppError('KUBE_STREAM_INVALID', 'the API server sent a line that is not JSON', { cause });
  }
}
