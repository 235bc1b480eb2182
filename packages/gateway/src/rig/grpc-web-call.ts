/** Owns grpc-web calls as bytes over HTTP/1.1, and the reading of what comes back. Imported by tests only. */
import { request as plainRequest } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders } from 'node:http';
import { request as tlsRequest } from 'node:https';

export interface Place {
  readonly port: number;
  readonly isTls: boolean;
}

export interface WebAnswerParts {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly messages: readonly string[];
  /** Of the last frame, as lines in their order; undefined: there was none. */
  readonly trailers: readonly string[] | undefined;
  /** The body as it came. */
  readonly raw: Buffer;
}

/** One frame: flags, length, bytes. */
export function frame(message: string | Buffer, flags: number = 0): Buffer {
  const bytes = Buffer.from(message);
  const prefix = Buffer.alloc(5);
  prefix[0] = flags;
  prefix.writeUInt32BE(bytes.length, 1);
  return Buffer.concat([prefix, bytes]);
}

export const text = (bytes: Buffer): Buffer => Buffer.from(bytes.toString('base64'), 'latin1');

/** Begins a request whose body the caller sends. */
export function openWebCall({ port, isTls }: Place, path: string, headers: Record<string, string>): ClientRequest {
  const options = { port, host: '127.0.0.1', path, method: 'POST', agent: false as const, headers };
  return isTls ? tlsRequest({ ...options, rejectUnauthorized: false }) : plainRequest(options);
}

/** A whole call: its answer in parts, or `broken` when it broke off. */
export function callWeb(
  place: Place,
  path: string,
  { body, headers }: { readonly body: Buffer; readonly headers: Record<string, string> },
): Promise<WebAnswerParts | 'broken'> {
  return new Promise((resolve) => {
    const call = openWebCall(place, path, headers);
    call.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => void chunks.push(chunk));
      response.on('error', () => resolve('broken'));
      response.on('end', () => {
        const raw = Buffer.concat(chunks);
        const isText = String(response.headers['content-type']).startsWith('application/grpc-web-text');
        const frames = readFrames(isText ? decodeGroups(raw.toString('latin1')) : raw);
        resolve({ status: response.statusCode ?? 0, headers: response.headers, raw, ...frames });
      });
    });
    call.on('error', () => resolve('broken'));
    call.end(body);
  });
}

/** Base64 with padding in its middle, as clients read it. */
export function decodeGroups(encoded: string): Buffer {
  const groups = encoded.match(/[^=]*={0,2}/g) ?? [];
  return Buffer.concat(groups.map((group) => Buffer.from(group, 'base64')));
}

export function readFrames(bytes: Buffer): Pick<WebAnswerParts, 'messages' | 'trailers'> {
  const messages: string[] = [];
  let trailers: string[] | undefined;
  for (let at = 0; at + 5 <= bytes.length;) {
    const end = at + 5 + bytes.readUInt32BE(at + 1);
    const content = bytes.toString('utf8', at + 5, end);
    if (((bytes[at] ?? 0) & 0x80) === 0) messages.push(content);
    else trailers = content.split('\r\n').filter((line) => line !== '');
    at = end;
  }
  return { messages, trailers };
}
