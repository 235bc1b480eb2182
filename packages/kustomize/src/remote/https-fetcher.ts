/** Fetches over https with limits on size and time. */

import { KustomizeError } from '../errors.ts';
import type { Fetcher } from './vendor.ts';

export interface HttpsFetcherOptions {
  readonly timeoutMs?: number;
  /** The fetch to use; the platform's when it is not given. */
  readonly fetch?: typeof fetch;
}

function failed(url: string, reason: string, cause?: unknown): KustomizeError {
  return new KustomizeError('REMOTE_FAILED', `cannot fetch ${url}: ${reason}`, { cause });
}

async function readLimited(response: Response, maxBytes: number, url: string): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.byteLength;
    if (size > maxBytes) throw failed(url, `more than ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

export function createHttpsFetcher({ timeoutMs = 60_000, fetch: fetch_ = fetch }: HttpsFetcherOptions = {}): Fetcher {
  return {
    fetch: async (url, maxBytes) => {
      if (!url.startsWith('https://')) throw failed(url, 'only https is used');
      try {
        const response = await fetch_(url, { signal: AbortSignal.timeout(timeoutMs) });
        if (!response.url.startsWith('https://') && response.url !== '') throw failed(url, 'it leads away from https');
        if (!response.ok) throw failed(url, `status ${response.status}`);
        return await readLimited(response, maxBytes, url);
      } catch (error) {
        throw error instanceof KustomizeError ? error : failed(url, 'no answer', error);
      }
    },
  };
}
