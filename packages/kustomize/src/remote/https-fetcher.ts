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

const redirectLimit = 5;
const redirects: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Follows redirects one by one, so that none is followed away from https. */
async function open(url: string, request: (url: string) => Promise<Response>): Promise<Response> {
  let next = url;
  for (let hop = 0; hop <= redirectLimit; hop += 1) {
    if (!next.startsWith('https://')) throw failed(url, 'only https is used');
    const response = await request(next);
    const location = redirects.has(response.status) ? response.headers.get('location') : null;
    if (location === null) return response;
    await response.body?.cancel();
    next = new URL(location, next).href;
  }
  throw failed(url, `more than ${redirectLimit} redirects`);
}

/** Fetches with GET, without cookies or credentials; the platform's trust store (NODE_EXTRA_CA_CERTS adds to it) decides whom to believe. */
export function createHttpsFetcher({ timeoutMs = 60_000, fetch: fetch_ = fetch }: HttpsFetcherOptions = {}): Fetcher {
  return {
    fetch: async (url, maxBytes) => {
      const signal = AbortSignal.timeout(timeoutMs);
      try {
        const response = await open(url, (next) => fetch_(next, { signal, redirect: 'manual' }));
        if (!response.ok) throw failed(url, `status ${response.status}`);
        return await readLimited(response, maxBytes, url);
      } catch (error) {
        throw error instanceof KustomizeError ? error : failed(url, reasonOf(error), error);
      }
    },
  };
}

/** What fetch wraps into "fetch failed": a name that is not found, a certificate that is not trusted. */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error && cause.message !== '' ? cause.message : 'no answer';
}
