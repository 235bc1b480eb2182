/** Owns fetching of small JSON documents (keys, discovery), bounded in size and time. */
import { AppError } from '@kfctl/core';
import type { IncomingMessage } from 'node:http';

const MAX_BYTES = 256 * 1024;

export type FetchJson = (uri: string, timeoutMs: number) => Promise<unknown>;

/** The JSON at an http or https address; throws `FETCH_FAILED`. Redirects are not followed. */
export const fetchJson: FetchJson = async (uri, timeoutMs) => {
  const response = await get(uri, timeoutMs);
  if (response.statusCode !== 200) {
    response.resume();
    throw new AppError('FETCH_FAILED', `${uri} answered ${response.statusCode}`);
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BYTES) throw new AppError('FETCH_FAILED', `${uri} answered more than ${MAX_BYTES} bytes`);
    chunks.push(chunk);
  }
  return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
};

function get(uri: string, timeoutMs: number): Promise<IncomingMessage> {
  // Not `import`: see server/listener.ts.
  const { request } = process.getBuiltinModule(uri.startsWith('https:') ? 'node:https' : 'node:http');
  return new Promise((resolve, reject) => {
    const outgoing = request(uri, {
      agent: false,
      signal: AbortSignal.timeout(timeoutMs),
      headers: { accept: 'application/json' },
    });
    outgoing
      .on('response', resolve)
      .on('error', (cause) => reject(new AppError('FETCH_FAILED', `cannot fetch ${uri}`, { cause })));
    outgoing.end();
  });
}
