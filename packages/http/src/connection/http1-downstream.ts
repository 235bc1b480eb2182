/** Owns requests that came over HTTP/1: the writing of their answers (RFC 9112). */
import { Readable } from 'node:stream';
import type { Duplex } from 'node:stream';
import { AppError } from '@kfctl/core';
import type { AcceptedHead, RawHead } from '../head/raw-head.ts';
import { NO_LISTENER } from './downstream.ts';
import type { Downstream, DownstreamListener } from './downstream.ts';
import type { Http1Connection } from './http1-connection.ts';

// Not `import`: that reads every export of node:http, whose WebSocket getter loads undici (16 MB instead of 3 MB).
const { STATUS_CODES } = process.getBuiltinModule('node:http');

const CHUNKED = 'transfer-encoding: chunked\r\n';
const CLOSE = 'connection: close\r\n';

/** Takes a body as it comes; null is its end. False: no more for now. */
export interface BodyTaker {
  push(chunk: Buffer | null): boolean;
  /** The rest will not come. */
  destroy(): unknown;
}

type Framing = 'none' | 'length' | 'chunked' | 'until-close';

export class Http1Downstream implements Downstream {
  readonly raw: RawHead;
  readonly port: number;
  readonly isTls: boolean;
  readonly sni: string;
  readonly remoteAddress: string;
  listener: DownstreamListener = NO_LISTENER;
  readonly #connection: Http1Connection;
  #head: AcceptedHead | undefined;
  #body: BodyTaker | undefined;
  #stream: Readable | undefined;
  #framing: Framing = 'none';
  #hasBegun = false;
  #isLast = false;
  #hasEnded = false;
  #saidContinue = false;

  constructor(connection: Http1Connection, raw: RawHead) {
    const { place } = connection;
    this.raw = raw;
    this.port = place.port;
    this.isTls = place.isTls;
    this.sni = connection.sni;
    this.remoteAddress = connection.remoteAddress;
    this.#connection = connection;
  }

  accept(head: AcceptedHead): void {
    this.#head = head;
    this.#connection.expectBody(head.body);
  }

  get body(): Readable {
    this.#stream ??= this.#openBody();
    return this.#stream;
  }

  /** Hands the body over, without a stream between; asks the client for it where it waits to be asked. Once, and not with `body`. */
  takeBody(taker: BodyTaker): void {
    this.#body = taker;
    if (this.#hasEnded) taker.destroy();
    else if (this.#connection.isBodyComplete) taker.push(null);
    else {
      if (this.#head?.expectsContinue === true) this.sendContinue();
      this.#connection.readBody();
    }
  }

  get wantsBody(): boolean {
    return this.#body !== undefined;
  }

  get hasBegun(): boolean {
    return this.#hasBegun;
  }

  /** False: the reader is busy. */
  pushBody(chunk: Buffer): boolean {
    return this.#body === undefined || this.#body.push(chunk);
  }

  endBody(): void {
    this.#body?.push(null);
  }

  /** The rest is thrown away: whoever reads on must not take what there was for all of it. */
  cutBody(): void {
    this.#body?.destroy();
  }

  /** The client is gone, or what it sends is no request. */
  breakOff(): void {
    this.#body?.destroy();
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.listener.onGone();
  }

  sendContinue(): void {
    this.#saidContinue = true;
    this.#connection.out.text('HTTP/1.1 100 Continue\r\n\r\n');
  }

  retire(): void {
    this.#isLast = true;
  }

  sendHead(status: number, fields: readonly string[], hasBody: boolean): void {
    let isSized = false;
    let text = statusLine(status);
    for (let index = 0; index < fields.length; index += 2) {
      const name = fields[index] ?? '';
      if (name === 'content-length') isSized = true;
      text += `${name}: ${fields[index + 1]}\r\n`;
    }
    this.#framing = this.#frame(hasBody, isSized);
    if (this.#framing === 'chunked') text += CHUNKED;
    else if (this.#framing === 'none' && !isSized && this.#statesLength(status)) text += 'content-length: 0\r\n';
    this.#hasBegun = true;
    this.#isLast ||= this.#mustClose();
    this.#connection.out.text(`${text}${this.#persistence()}\r\n`);
  }

  write(chunk: Buffer): boolean {
    const { out, socket } = this.#connection;
    if (chunk.length === 0 || socket.destroyed) return true;
    const isTaken =
      this.#framing === 'chunked'
        ? out.bytes(`${chunk.length.toString(16)}\r\n`, chunk, '\r\n')
        : out.bytes('', chunk, '');
    if (!isTaken) this.#connection.awaitClient();
    return isTaken;
  }

  /**
   * A whole answer, `fields` as they stand in a head, without those about length and connection; `body` one byte a character.
   * A body of the client's that has not come by now is not waited for: the connection ends.
   */
  answer(status: number, fields: string, body: string): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#hasBegun = true;
    this.#isLast ||= this.#mustClose() || !this.#connection.isBodyComplete;
    const length = status === 204 || status === 304 ? '' : `content-length: ${body.length}\r\n`;
    const sent = length === '' || this.raw.method === 'HEAD' ? '' : body;
    this.#connection.out.text(`${statusLine(status)}${fields}${length}${this.#persistence()}\r\n${sent}`);
    this.#connection.finish(this.#isLast || this.#connection.isRetired);
  }

  /** The head of an answer of which `length` bytes of body are written later; the connection stays only where the request is complete. */
  begin(status: number, fields: string, length: number): void {
    this.#framing = 'length';
    this.#hasBegun = true;
    this.#isLast ||= this.#mustClose() || !this.#connection.isBodyComplete;
    const head = `${statusLine(status)}${fields}content-length: ${length}\r\n${this.#persistence()}\r\n`;
    this.#connection.out.text(head);
  }

  /** Trailers are left out: RFC 9110 section 6.5.1 allows it, and no HTTP/1.1 browser reads them. */
  end(): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    if (this.#framing === 'chunked') this.#connection.out.text('0\r\n\r\n');
    this.#connection.finish(this.#isLast || this.#connection.isRetired);
  }

  abort(): void {
    this.#hasEnded = true;
    this.#body?.destroy();
    this.#connection.out.flush();
    this.#connection.socket.destroy();
  }

  acceptWebSocket(fields: readonly string[]): Duplex {
    if (this.#head?.webSocket !== true) {
      throw new AppError('NOT_AN_UPGRADE', 'the client did not ask for another protocol');
    }
    this.#hasEnded = true;
    const { out, socket } = this.#connection;
    const rest = this.#connection.release();
    let head = 'HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: websocket\r\n';
    for (let index = 0; index < fields.length; index += 2) head += `${fields[index]}: ${fields[index + 1]}\r\n`;
    out.text(`${head}\r\n`);
    out.flush();
    socket.pause();
    socket.on('error', () => socket.destroy());
    if (rest.length > 0) socket.unshift(rest);
    return socket;
  }

  #persistence(): string {
    return this.#isLast ? CLOSE : this.#connection.keepAliveFields;
  }

  #openBody(): Readable {
    const body = new Readable({ read: () => this.#connection.readBody() });
    // A client that breaks off is no error of ours; `close` tells it.
    body.on('error', () => undefined);
    if (this.#connection.isBodyComplete) body.push(null);
    this.#body = body;
    return body;
  }

  #frame(hasBody: boolean, isSized: boolean): Framing {
    if (!hasBody) return 'none';
    if (isSized) return 'length';
    return this.raw.protocol === 'HTTP/1.1' ? 'chunked' : 'until-close';
  }

  /** RFC 9112 section 6.3: a client waits for a body unless it is told that there is none. */
  #statesLength(status: number): boolean {
    return status >= 200 && status !== 204 && status !== 304 && this.raw.method !== 'HEAD';
  }

  #mustClose(): boolean {
    const head = this.#head;
    // A refused upgrade ends the connection: what follows may be the other protocol already.
    if (head === undefined || !head.keepAlive || head.webSocket || this.#framing === 'until-close') return true;
    // RFC 9110 section 10.1.1: whether a client that was not told to go on will send its body nobody knows.
    if (head.expectsContinue && !this.#saidContinue) return true;
    return this.#connection.isRetired;
  }
}

const statusLines = new Map<number, string>();

/** One of the 900 that there are. */
function statusLine(status: number): string {
  const known = statusLines.get(status);
  if (known !== undefined) return known;
  const line = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
  statusLines.set(status, line);
  return line;
}
