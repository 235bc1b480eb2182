/** Owns requests that came over HTTP/2, WebSockets over it (RFC 8441) included. */
import { AppError } from '@kfctl/core';
import { constants } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Duplex, Readable } from 'node:stream';
import { NO_LISTENER } from '@kfctl/http';
import type { CopyPool, Downstream, DownstreamListener, FieldList, ListenerPlace, RawHead } from '@kfctl/http';

export interface Http2Request {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly rawHeaders: readonly string[];
  readonly ended: boolean;
}

/** What is the same for every stream of a session. */
export interface Http2Peer {
  readonly sni: string;
  readonly remoteAddress: string;
  readonly place: ListenerPlace;
  readonly copies: CopyPool;
}

const LINGER_MS = 100;

export class Http2Downstream implements Downstream {
  readonly raw: RawHead;
  readonly port: number;
  readonly isTls: boolean;
  readonly sni: string;
  readonly remoteAddress: string;
  readonly body: Readable;
  listener: DownstreamListener = NO_LISTENER;
  readonly #stream: ServerHttp2Stream;
  readonly #copies: CopyPool;
  #trailers: FieldList = [];
  #received: FieldList = [];
  #isDone = false;

  constructor({ stream, headers, rawHeaders, ended }: Http2Request, { sni, remoteAddress, place, copies }: Http2Peer) {
    this.raw = {
      protocol: 'HTTP/2',
      method: String(headers[':method'] ?? ''),
      target: String(headers[':path'] ?? ''),
      authority: headers[':authority'] === undefined ? undefined : String(headers[':authority']),
      rawFields: withoutPseudoFields(rawHeaders),
      ended,
      extendedProtocol: headers[':protocol'] === undefined ? undefined : String(headers[':protocol']),
    };
    this.port = place.port;
    this.isTls = place.isTls;
    this.sni = sni;
    this.remoteAddress = remoteAddress;
    this.#copies = copies;
    this.body = stream;
    this.#stream = stream;
    stream.on('error', () => undefined);
    stream.on('drain', () => this.listener.onDrain());
    stream.on('wantTrailers', () => this.#sendTrailers());
    stream.on('trailers', (_headers, _flags, fields?: string[]) => void (this.#received = fields ?? []));
    stream.on('close', () => {
      if (!this.#isDone) this.listener.onGone();
    });
  }

  get trailers(): FieldList {
    return this.#received;
  }

  /** HTTP/2 frames the body itself. */
  accept(): void {
    // Nothing follows on a stream.
  }

  retire(): void {
    // Each request has a stream of its own.
  }

  sendContinue(): void {
    if (!this.#stream.destroyed) this.#stream.additionalHeaders({ ':status': 100 });
  }

  sendHead(status: number, fields: readonly string[], hasBody: boolean): void {
    if (this.#stream.destroyed) return;
    this.#isDone = !hasBody;
    // A body of known length has no trailers.
    const waitForTrailers = hasBody && !fields.includes('content-length');
    this.#stream.respond([':status', String(status), ...fields], { endStream: !hasBody, waitForTrailers });
    if (!hasBody) this.#stopReading();
  }

  write(chunk: Buffer): boolean {
    if (this.#stream.destroyed) return true;
    const copies = this.#copies;
    if (chunk.length < copies.smallest) return this.#stream.write(Buffer.from(chunk));
    const bytes = copies.take(chunk.length);
    chunk.copy(bytes);
    return this.#stream.write(bytes, (error) => {
      if (!(error instanceof Error)) copies.giveBack(bytes);
    });
  }

  end(trailers: FieldList): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    this.#trailers = trailers;
    this.#isDone = true;
    this.#stream.end();
    this.#stopReading();
  }

  abort(): void {
    this.#isDone = true;
    // Not `close`: that ends the stream first, and the client takes what it has for the whole answer.
    if (!this.#stream.destroyed) this.#stream.destroy(new AppError('ANSWER_BROKEN_OFF', 'the answer is incomplete'));
  }

  acceptWebSocket(fields: readonly string[]): Duplex {
    this.#isDone = true;
    this.#stream.respond([':status', '200', ...fields]);
    return this.#stream;
  }

  #sendTrailers(): void {
    if (!this.#stream.destroyed && !this.#stream.closed) this.#stream.sendTrailers(grouped(this.#trailers));
  }

  /**
   * RFC 9113 section 8.1: an answer may come before the whole request; the rest of it is not wanted. A reset overtakes an answer that is
   * still to be written, and the client would see no status at all: so what comes is thrown away until the answer has left.
   */
  #stopReading(): void {
    const stream = this.#stream;
    if (this.raw.ended || stream.readableEnded || stream.destroyed) return;
    stream.resume();
    const timer = setTimeout(() => {
      if (stream.destroyed || stream.closed) return;
      if (stream.state.localClose === 1) stream.close(constants.NGHTTP2_NO_ERROR);
      else timer.refresh();
    }, LINGER_MS);
    timer.unref();
    stream.once('close', () => clearTimeout(timer));
  }
}

function withoutPseudoFields(rawHeaders: readonly string[]): string[] {
  const fields: string[] = [];
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = rawHeaders[index] ?? '';
    if (!name.startsWith(':')) fields.push(name, rawHeaders[index + 1] ?? '');
  }
  return fields;
}

function grouped(fields: FieldList): Record<string, string[]> {
  const result: Record<string, string[]> = Object.create(null) as Record<string, string[]>;
  for (let index = 0; index < fields.length; index += 2)
    (result[fields[index] ?? ''] ??= []).push(fields[index + 1] ?? '');
  return result;
}
