/** Owns a request of node:http as handlers see it: what few handlers ask for is made when it is asked for, the body within its limit. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { AppError } from '../errors/app-error.ts';
import { randomToken } from '../secrets/random.ts';
import type { HttpRequest } from './message.ts';

const NO_PARAMS: HttpRequest['params'] = Object.freeze({});

export class ServedRequest implements HttpRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: HttpRequest['headers'];
  readonly remoteAddress: string;
  readonly params: HttpRequest['params'] = NO_PARAMS;
  readonly #incoming: IncomingMessage;
  readonly #outgoing: ServerResponse;
  readonly #maxBodyBytes: number;
  readonly #search: string;
  #id: string | undefined;
  #query: URLSearchParams | undefined;
  #signal: AbortSignal | undefined;
  #body: Promise<Buffer> | undefined;

  constructor(incoming: IncomingMessage, outgoing: ServerResponse, maxBodyBytes: number) {
    const target = incoming.url ?? '/';
    const mark = target.indexOf('?');
    this.method = incoming.method ?? 'GET';
    this.path = mark < 0 ? target : target.slice(0, mark);
    this.headers = incoming.headers;
    // Now: a socket that is closed no longer knows.
    this.remoteAddress = incoming.socket.remoteAddress ?? '';
    this.#search = mark < 0 ? '' : target.slice(mark + 1);
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#maxBodyBytes = maxBodyBytes;
  }

  get id(): string {
    return (this.#id ??= randomToken(9));
  }

  get query(): URLSearchParams {
    return (this.#query ??= new URLSearchParams(this.#search));
  }

  get signal(): AbortSignal {
    return (this.#signal ??= signalOf(this.#outgoing));
  }

  body(maxBytes: number = this.#maxBodyBytes): Promise<Buffer> {
    return (this.#body ??= readBody(this.#incoming, maxBytes));
  }
}

function signalOf(outgoing: ServerResponse): AbortSignal {
  const abort = new AbortController();
  if (outgoing.closed) abort.abort();
  else outgoing.on('close', () => abort.abort());
  return abort.signal;
}

/** By events: an asynchronous iterator over the message costs as much as all the rest of reading it. */
function readBody(incoming: IncomingMessage, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const stop = (): void => void incoming.off('data', take).off('end', finish).off('error', fail).off('close', lost);
    const finish = (): void => {
      stop();
      const [only] = chunks;
      resolve(only !== undefined && chunks.length === 1 ? only : Buffer.concat(chunks));
    };
    const fail = (error: unknown): void => {
      stop();
      incoming.pause();
      reject(error);
    };
    const take = (chunk: Buffer): void => {
      size += chunk.length;
      if (size > maxBytes) fail(tooLarge(maxBytes));
      else chunks.push(chunk);
    };
    const lost = (): void => fail(new Error('the client went away while sending its request'));
    if (incoming.destroyed) lost();
    else incoming.on('data', take).on('end', finish).on('error', fail).on('close', lost);
  });
}

function tooLarge(maxBytes: number): AppError {
  return new AppError('BODY_TOO_LARGE', `request body is larger than ${maxBytes} bytes`, {
    status: 413,
    public: 'request body too large',
  });
}
