/** Owns one HTTP/1.1 connection to an endpoint: one exchange at a time, reused while both sides keep to the protocol. */
import { describeError } from '@kfctl/core';
import type { OnReadOpts, Socket } from 'node:net';
import { Outgoing } from '@kfctl/http';
import type { FieldNames } from '@kfctl/http';
import { openSocket } from './open-socket.ts';
import { writeRequest } from './request-writer.ts';
import type { BodyWriter, Way } from './request-writer.ts';
import type { ResponseHead } from './response-head.ts';
import { ResponseParser } from './response-parser.ts';
import type { ResponseEvents } from './response-parser.ts';
import type { UpstreamTls } from './tls/upstream-tls.ts';
import type {
  UpstreamAddress,
  UpstreamExchange,
  UpstreamFailure,
  UpstreamHandler,
  UpstreamRequest,
} from './upstream.ts';

export interface ConnectionOptions {
  readonly address: UpstreamAddress;
  readonly connectTimeoutMs: number;
  /** Where bytes are read into, shared by all connections; a connection that may be handed over reads into buffers of its own. */
  readonly readBuffer: Buffer | undefined;
  readonly names: FieldNames;
  readonly tls: UpstreamTls | undefined;
  /** How long it may be idle, at most. */
  readonly idleMs: number;
  readonly keepAliveMs: number | undefined;
  /** After so many it is not used again. */
  readonly maxRequests: number;
  /** The exchange is over and the connection can take another one. */
  readonly onIdle: (connection: Http1Connection) => void;
  readonly onClose: (connection: Http1Connection) => void;
  /** It was ended while it was idle, as a request was to find out. */
  readonly onStale: () => void;
}

const HTTP1 = ['http/1.1'];
/** Idle connections are given up this long before the server says it will. */
const IDLE_MARGIN_MS = 1_000;

/** One request and its answer on a connection. */
class Exchange implements UpstreamExchange {
  readonly request: UpstreamRequest;
  readonly handler: UpstreamHandler;
  writer: BodyWriter | undefined;
  head: ResponseHead | undefined;
  /** Set when the answer has ended. */
  trailers: readonly string[] | undefined;
  readonly #connection: Http1Connection;

  constructor(connection: Http1Connection, request: UpstreamRequest, handler: UpstreamHandler) {
    this.#connection = connection;
    this.request = request;
    this.handler = handler;
  }

  resume(): void {
    this.#connection.resume(this);
  }

  abort(): void {
    this.#connection.abort(this);
  }
}

export class Http1Connection implements ResponseEvents {
  readonly #options: ConnectionOptions;
  readonly #socket: Socket;
  readonly #way: Way;
  readonly #parser: ResponseParser;
  #running: Exchange | undefined;
  #connected = false;
  #served = 0;
  #closed = false;
  #idleUntil = 0;
  #idleSince = 0;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#parser = new ResponseParser(options.names);
    const { tls, keepAliveMs, readBuffer } = options;
    const onread = this.#readOptions(readBuffer);
    this.#socket = openSocket(options.address, { tls, protocols: HTTP1, keepAliveMs, onread });
    this.#way = { socket: this.#socket, out: new Outgoing(this.#socket) };
    const timer = setTimeout(() => this.#fail('connect', 'connect timeout'), options.connectTimeoutMs);
    timer.unref();
    // Whoever waits for an answer keeps the process alive, not the connection.
    this.#socket.unref();
    this.#socket.on(tls === undefined ? 'connect' : 'secureConnect', () => {
      clearTimeout(timer);
      this.#onConnect();
    });
    if (options.readBuffer === undefined) this.#socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    this.#socket.on('end', () => this.#onSocketEnd());
    this.#socket.on('error', (error: NodeJS.ErrnoException) => this.#fail('reset', error.code ?? 'socket error'));
    this.#socket.on('close', () => {
      clearTimeout(timer);
      this.#fail('reset', 'connection closed');
    });
  }

  /** The connection may take a request: it is open, quiet, and has been idle for less than `maxIdleMs` and than the server allows. */
  isUsable(now: number, maxIdleMs: number = Infinity): boolean {
    const isQuiet = !this.#closed && this.#running === undefined;
    return isQuiet && now < this.#idleUntil && now - this.#idleSince < maxIdleMs;
  }

  get isReused(): boolean {
    return this.#served > 0;
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    const running = new Exchange(this, request, handler);
    this.#running = running;
    this.#parser.start(request.method, this);
    // Of a body nothing is read before it can leave: if nobody answers here, another endpoint gets all of it.
    if (this.#connected || request.body.kind === 'none') this.#write(running);
    return running;
  }

  #onConnect(): void {
    this.#connected = true;
    if (this.#running !== undefined && this.#running.writer === undefined) this.#write(this.#running);
  }

  #write(running: Exchange): void {
    running.writer = writeRequest(this.#way, running.request, (detail) => this.#fail('reset', detail));
  }

  /** Takes more of the answer, when it is still this exchange's turn. */
  resume(exchange: Exchange): void {
    if (this.#running === exchange && this.#socket.isPaused()) this.#socket.resume();
  }

  abort(exchange: Exchange): void {
    if (this.#running === exchange) this.#drop();
  }

  onHead(head: ResponseHead): void {
    const running = this.#running;
    if (running === undefined) return;
    running.head = head;
    if (head.status !== 101) return running.handler.onHead(head);
    if (!running.request.webSocket) return this.#fail('protocol', 'upgrade that was not asked for');
    this.#handOver(running, head);
  }

  onBody(chunk: Buffer): void {
    if (this.#running?.handler.onData(chunk) === false) this.#socket.pause();
  }

  /** Whether more follows what came with the end is known once all of that has been looked at: see `#settle`. */
  onEnd(trailers: readonly string[]): void {
    if (this.#running !== undefined) this.#running.trailers = trailers;
  }

  close(): void {
    if (this.#running === undefined) this.#drop();
    else this.#idleUntil = -1;
  }

  /** Reading into one buffer spares an allocation of 64 KiB for each answer. */
  #readOptions(buffer: Buffer | undefined): OnReadOpts | undefined {
    if (buffer === undefined) return undefined;
    const callback = (size: number): boolean => {
      this.#onData(buffer.subarray(0, size));
      return !this.#socket.isPaused();
    };
    return { buffer, callback };
  }

  #onData(chunk: Buffer): void {
    if (this.#running === undefined) return this.#drop();
    const problem = this.#parse(chunk);
    if (this.#running?.trailers !== undefined) this.#settle(this.#running, problem === undefined);
    else if (problem !== undefined && !this.#closed) this.#fail('protocol', problem);
  }

  /** The answer is complete. Only now may the connection carry another one: bytes behind this answer would be taken for it. */
  #settle(running: Exchange, isClean: boolean): void {
    this.#running = undefined;
    this.#served += 1;
    const { head, writer, trailers = [] } = running;
    writer?.detach();
    // A request still being sent leaves the connection in the middle of a message.
    const isWelcome = this.#idleUntil >= 0 && this.#served < this.#options.maxRequests;
    const isReusable = isClean && isWelcome && head?.keepAlive === true && writer?.isFinished() === true;
    if (isReusable) this.#rest(head);
    else this.#drop();
    running.handler.onEnd(trailers);
  }

  /** Whatever an answer makes the handler throw is that answer's fault: it must not end the process. */
  #parse(chunk: Buffer): string | undefined {
    try {
      return this.#parser.push(chunk);
    } catch (error) {
      return describeError(error);
    }
  }

  #onSocketEnd(): void {
    const problem = this.#parser.end();
    const running = this.#running;
    if (running?.trailers !== undefined) return this.#settle(running, false);
    if (problem !== undefined && running !== undefined) return this.#fail('reset', problem);
    this.#drop();
  }

  /** The socket leaves this connection's hands. */
  #handOver(running: Exchange, head: ResponseHead): void {
    this.#running = undefined;
    this.#closed = true;
    const socket = this.#socket;
    for (const event of ['data', 'end', 'error', 'close']) socket.removeAllListeners(event);
    socket.pause();
    // The listeners of the pipe come in the same tick; without one an error would end the process.
    socket.on('error', () => socket.destroy());
    this.#options.onClose(this);
    const { length: _none, ...upgraded } = head;
    // The parser still holds this chunk: what follows the head is known once it returns.
    queueMicrotask(() => {
      const rest = this.#parser.takeRest();
      if (rest.length > 0) socket.unshift(rest);
      running.handler.onUpgrade({ ...upgraded, length: undefined }, socket);
    });
  }

  #rest(head: ResponseHead): void {
    const idleMs = Math.min((head.keepAliveMs ?? Infinity) - IDLE_MARGIN_MS, this.#options.idleMs);
    this.#idleSince = performance.now();
    this.#idleUntil = this.#idleSince + Math.max(idleMs, 0);
    if (this.#socket.isPaused()) this.#socket.resume();
    this.#options.onIdle(this);
  }

  #fail(kind: UpstreamFailure['kind'], detail: string): void {
    const running = this.#running;
    const failure: UpstreamFailure = {
      kind: this.#connected ? kind : 'connect',
      sent: this.#connected,
      reused: this.isReused,
      detail,
    };
    const isUnanswered = running !== undefined && running.head === undefined;
    if (isUnanswered && failure.reused && failure.kind === 'reset') this.#options.onStale();
    this.#drop();
    running?.handler.onFailure(failure);
  }

  /** Ends the connection without telling the exchange. */
  #drop(): void {
    this.#running?.writer?.detach();
    this.#running = undefined;
    if (this.#closed) return;
    this.#closed = true;
    this.#socket.destroy();
    this.#options.onClose(this);
  }
}
