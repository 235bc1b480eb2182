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
  readonly #link: Link;
  #trailers: FieldList = [];
  #received: FieldList = [];
  #awaitsDrain = false;

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
    this.#link = linkTo(stream, this);
  }

  /** The stream has closed before the answer was complete. */
  onClose(): void {
    this.listener.onGone();
  }

  /** The request's trailers have come. */
  onTrailers(fields: FieldList): void {
    this.#received = fields;
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
    // A body of known length has no trailers.
    const waitForTrailers = hasBody && !fields.includes('content-length');
    if (waitForTrailers) this.#stream.once('wantTrailers', () => this.#sendTrailers());
    const sent = [':status', String(status), ...fields];
    this.#stream.respond(sent, { endStream: !hasBody, waitForTrailers });
    // The stream keeps the list, see `Link`.
    sent.length = 0;
    if (!hasBody) this.#finish();
  }

  write(chunk: Buffer): boolean {
    if (this.#stream.destroyed) return true;
    const hasRoom =
      chunk.length < this.#copies.smallest ? this.#stream.write(Buffer.from(chunk)) : this.#writeLarge(chunk);
    if (!hasRoom) this.#awaitDrain();
    return hasRoom;
  }

  #awaitDrain(): void {
    if (this.#awaitsDrain) return;
    this.#awaitsDrain = true;
    this.#stream.once('drain', () => {
      this.#awaitsDrain = false;
      this.listener.onDrain();
    });
  }

  #writeLarge(chunk: Buffer): boolean {
    const copies = this.#copies;
    const bytes = copies.take(chunk.length);
    chunk.copy(bytes);
    return this.#stream.write(bytes, (error) => {
      if (!(error instanceof Error)) copies.giveBack(bytes);
    });
  }

  end(trailers: FieldList): void {
    if (this.#stream.destroyed || this.#stream.writableEnded) return;
    this.#trailers = trailers;
    this.#stream.end();
    this.#finish();
  }

  abort(): void {
    this.#link.request = undefined;
    // Not `close`: that ends the stream first, and the client takes what it has for the whole answer.
    // A turn later: a reset overtakes what has not left, and the client should see what there was.
    setImmediate(() => this.#stream.destroy(new AppError('ANSWER_BROKEN_OFF', 'the answer is incomplete')));
  }

  acceptWebSocket(fields: readonly string[]): Duplex {
    this.#link.request = undefined;
    this.#stream.respond([':status', '200', ...fields]);
    return this.#stream;
  }

  #sendTrailers(): void {
    if (!this.#stream.destroyed && !this.#stream.closed) this.#stream.sendTrailers(grouped(this.#trailers));
  }

  #finish(): void {
    this.#link.request = undefined;
    this.#stopReading();
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

/**
 * What a stream knows of its request, until the answer is complete. node keeps each stream in memory until the next collection of the old
 * generation; with all that belongs to the request, that would be more than everything else that the gateway holds.
 */
interface Link {
  request: Http2Downstream | undefined;
}

function linkTo(stream: ServerHttp2Stream, request: Http2Downstream): Link {
  const link: Link = { request };
  stream.on('error', ignore);
  stream.on('close', () => link.request?.onClose());
  if (!request.raw.ended) {
    stream.on('trailers', (_headers, _flags, fields?: string[]) => link.request?.onTrailers(fields ?? []));
  }
  return link;
}

function ignore(): void {
  // Told by `close`.
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
