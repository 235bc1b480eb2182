/** Owns the last look before "it is up": the way from the gateway to the login page, walked as a browser does. */
import { request } from 'node:https';
import { createBackoff, delay } from '@kfctl/core';
import { kfctlError } from '../../errors.ts';

const TIMEOUT_MS = 60_000;
const ANSWER_TIMEOUT_MS = 5000;
const MAX_REDIRECTS = 6;

/**
 * Resolves with the addresses when the first of them leads to a login page that answers 200; with none where nobody waits for one.
 * Throws `NOT_READY` after a minute.
 *
 * @param readUrls - none yet, or undefined where there will be none
 */
export async function waitForLogin(
  readUrls: () => Promise<readonly string[] | undefined>,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const backoff = createBackoff({ initialMs: 30, maxMs: 1000 });
  const deadline = Date.now() + TIMEOUT_MS;
  for (;;) {
    const urls = await readUrls();
    if (urls === undefined) return [];
    const [url] = urls;
    const found = url === undefined ? 'it has no address yet' : await walk(url, signal);
    if (found === 200 || signal.aborted) return urls;
    if (Date.now() > deadline) {
      throw kfctlError('NOT_READY', `${url ?? 'the gateway'} does not lead to the login page: ${found}`, {
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
