/** Owns questions to an upstream's API in the name of the person who logs in. */
import { GrantGone } from './token-request.ts';
import type { UpstreamAnswer, UpstreamHttp, UpstreamRequest } from './upstream-http.ts';
import { upstreamFailed } from './upstream-http.ts';

export interface UpstreamApi {
  /** The body of a 200; throws GrantGone at 401 and AppError at anything else. */
  get(url: string): Promise<unknown>;
  post(url: string, json: unknown): Promise<unknown>;
  /** The bodies of all pages; `next` finds the address of the page after. */
  pages(url: string, next: (answer: UpstreamAnswer) => string | undefined): Promise<readonly unknown[]>;
  /** The answer, whatever its status but 401. */
  ask(request: UpstreamRequest): Promise<UpstreamAnswer>;
}

const MAX_PAGES = 50;

export function createUpstreamApi(http: UpstreamHttp, accessToken: string): UpstreamApi {
  const authorization = `Bearer ${accessToken}`;
  const ask = async (request: UpstreamRequest): Promise<UpstreamAnswer> => {
    const answer = await http.send({ ...request, headers: { ...request.headers, authorization } });
    if (answer.status === 401) throw new GrantGone('the upstream no longer honours the token');
    return answer;
  };
  const succeed = async (request: UpstreamRequest): Promise<UpstreamAnswer> => {
    const answer = await ask(request);
    if (answer.status !== 200) throw upstreamFailed(request.url, `answered ${answer.status}`);
    if (answer.body === undefined) throw upstreamFailed(request.url, 'answered something that is not JSON');
    return answer;
  };
  return {
    ask,
    get: async (url) => (await succeed({ url })).body,
    post: async (url, json) => (await succeed({ url, method: 'POST', json })).body,
    pages: async (first, next) => {
      const bodies: unknown[] = [];
      let url: string | undefined = first;
      while (url !== undefined) {
        if (bodies.length >= MAX_PAGES) throw upstreamFailed(first, `has more than ${MAX_PAGES} pages`);
        const answer = await succeed({ url });
        bodies.push(answer.body);
        url = sameOrigin(next(answer), first);
      }
      return bodies;
    },
  };
}

// The token goes along: a page elsewhere would give it away.
function sameOrigin(next: string | undefined, first: string): string | undefined {
  if (next === undefined || next === '') return undefined;
  if (!URL.canParse(next) || new URL(next).origin !== new URL(first).origin) {
    throw upstreamFailed(first, 'named a next page at another address');
  }
  return next;
}
