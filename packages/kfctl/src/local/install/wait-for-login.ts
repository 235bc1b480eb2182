/** Owns the last look before "it is up": the way from the gateway to the login page, walked as a browser does. */
import { request } from 'node:https';
import { createBackoff, delay } from '@kfctl/core';
import { kfctlError } from '../../errors.ts';

const TIMEOUT_MS = 60_000;
const ANSWER_TIMEOUT_MS = 5000;
const MAX_REDIRECTS = 6;

/** Resolves when the address leads to a login page that answers 200, or there is none; throws `NOT_READY` after a minute. */
export async function waitForLogin(readUrl: () => Promise<string | undefined>, signal: AbortSignal): Promise<void> {
  const backoff = createBackoff({ initialMs: 30, maxMs: 1000 });
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const url = await readUrl();
    if (url === undefined) return;
    const found = await walk(url, signal);
    if (found === 200 || signal.aborted) return;
    if (Date.now() > deadline) {
      throw kfctlError('NOT_READY', `${url} does not lead to the login page: ${found}`, {
        hint: 'Look at: kubectl logs -n istio-system -l istio=ingressgateway',
      });
    }
    await delay(backoff.next(), signal);
  }
}

/** The status at the end of the redirects, or what went wrong on the way. */
async function walk(start: string, signal: AbortSignal): Promise<number | string> {
  let url = start;
  for (let count = 0; count < MAX_REDIRECTS; count += 1) {
    const answer = await get(url, signal);
    if (typeof answer === 'string') return answer;
    if (answer.location === undefined) return answer.status;
    url = new URL(answer.location, url).href;
  }
  return 'too many redirects';
}

function get(url: string, signal: AbortSignal): Promise<{ status: number; location: string | undefined } | string> {
  return new Promise((resolve) => {
    // The page is asked for, nothing is sent that would have to be protected: any certificate will do.
    const options = {
      rejectUnauthorized: false,
      agent: false,
      signal,
      headers: { accept: 'text/html', 'sec-fetch-mode': 'navigate' },
    };
    const call = request(url, options, (response) => {
      response.resume();
      resolve({ status: response.statusCode ?? 0, location: response.headers.location });
    });
    call.setTimeout(ANSWER_TIMEOUT_MS, () => call.destroy(new Error('no answer')));
    call.on('error', (error) => resolve(error.message));
    call.end();
  });
}
