/** Owns one request to the gateway as a browser that has not logged in makes it: bounded in time and size, whatever its certificate is. */
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';

export interface Page {
  readonly status: number;
  readonly location: string;
  readonly body: string;
}

const TIMEOUT_MS = 8000;
const MAX_BYTES = 262_144;

/** Rejects with the reason when nobody answers. No credential is sent, so that an impostor learns nothing. */
export function fetchPage(url: string): Promise<Page> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const options = { headers: { accept: 'text/html' }, rejectUnauthorized: false, agent: false as const, signal };
    const request = httpsRequest(url, options, (response) => void read(response).then(resolve, reject));
    request.once('error', (error) => {
      reject(signal.aborted ? new Error(`no answer within ${TIMEOUT_MS / 1000} s`) : error);
    });
    request.end();
  });
}

async function read(response: IncomingMessage): Promise<Page> {
  let body = '';
  for await (const part of response.setEncoding('utf8')) {
    body += String(part);
    if (body.length > MAX_BYTES) break;
  }
  return { status: response.statusCode ?? 0, location: response.headers.location ?? '', body };
}
