/** Owns one HTTP/2 session with an endpoint: how many requests it may carry, its limits towards a hostile peer, and its end. */
import { describeError } from '@kfctl/core';
import { connect } from 'node:http2';
import type { ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { openSocket } from '../open-socket.ts';
import type { UpstreamTls } from '../tls/upstream-tls.ts';
import type {
  UpstreamAddress,
  UpstreamExchange,
  UpstreamFailure,
  UpstreamHandler,
  UpstreamRequest,
} from '../upstream.ts';
import { Http2Exchange } from './http2-exchange.ts';

export interface SessionOptions {
  readonly address: UpstreamAddress;
  readonly tls: UpstreamTls | undefined;
  readonly connectTimeoutMs: number;
  readonly idleMs: number;
  readonly keepAliveMs: number | undefined;
  readonly maxRequests: number;
  readonly maxStreams: number;
  /** A request has ended and left room for another. */
  readonly onRoom: () => void;
  readonly onClose: () => void;
}

/** What an endpoint may make the gateway keep or do; beyond it the session ends. */
const LIMITS = {
  settings: { enablePush: false, maxHeaderListSize: 65_536 },
  maxHeaderListPairs: 256,
  maxSettings: 32,
  maxOutstandingPings: 4,
  maxSessionInvalidFrames: 64,
  maxSessionMemory: 16,
  // Endpoints may repeat what should come once, as over HTTP/1.1: the browser decides.
  strictSingleValueFields: false,
} as const;

/**
 * Of all streams together (RFC 9113 section 6.9): as much as all of them may hold. With the 64 KiB that sessions begin with, one client
 * that does not read would stop every other answer of the session.
 */
const SESSION_WINDOW_BYTES = 16 * 1024 * 1024;

export class Http2Session {
  readonly #options: SessionOptions;
  readonly #session: ClientHttp2Session | undefined;
  /** Requests that wait for the session to open. */
  readonly #early = new Set<Http2Exchange>();
  #state: 'connecting' | 'open' | 'retired' | 'closed' = 'connecting';
  #active = 0;
  #sent = 0;
  #idleSince = performance.now();
  #maxStreams: number;
  /** Of a GOAWAY: requests beyond it were not looked at. */
  #lastStream = Infinity;
  #trouble: unknown;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#maxStreams = options.maxStreams;
    this.#session = this.#connect();
  }

  get hasRoom(): boolean {
    const isTaking = this.#state === 'open' || this.#state === 'connecting';
    return isTaking && this.#active < this.#maxStreams && this.#sent < this.#options.maxRequests;
  }

  send(request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    this.#active += 1;
    this.#sent += 1;
    const exchange = new Http2Exchange({ request, handler, session: this });
    if (this.#state === 'connecting') this.#early.add(exchange);
    else this.#begin(exchange);
    return exchange;
  }

  /** An exchange is over, with or without a stream. */
  release(exchange: Http2Exchange): void {
    this.#early.delete(exchange);
    this.#active -= 1;
    this.#idleSince = performance.now();
    if (this.#sent >= this.#options.maxRequests || this.#state === 'retired') this.retire();
    this.#options.onRoom();
  }

  /** Why a stream ended before its answer did. */
  explain(rstCode: number, streamId: number | undefined, error: unknown): UpstreamFailure {
    const wasRefused = rstCode === REFUSED_STREAM || (streamId ?? Infinity) > this.#lastStream;
    const base = { sent: streamId !== undefined && !wasRefused, reused: this.#sent > 1 };
    const isGone = this.#state === 'closed' || this.#session?.destroyed === true;
    const trouble = this.#trouble ?? (error instanceof Error ? error.cause : undefined);
    if (isGone && !wasRefused) {
      const kind = isProtocolTrouble(trouble) ? 'protocol' : 'reset';
      return { ...base, kind, detail: trouble === undefined ? 'session closed' : describeError(trouble) };
    }
    const kind = PROTOCOL_CODES.has(rstCode) ? 'protocol' : 'remote-reset';
    return { ...base, kind, detail: `stream reset with code ${rstCode}`, code: rstCode };
  }

  closeIfIdle(now: number): void {
    if (this.#active === 0 && now - this.#idleSince >= this.#options.idleMs) this.retire();
  }

  /** Takes no more requests and ends with the last of them. */
  retire(): void {
    if (this.#state === 'closed') return;
    this.#state = 'retired';
    if (this.#active === 0) this.#session?.close();
  }

  #connect(): ClientHttp2Session | undefined {
    const { address, tls, keepAliveMs, connectTimeoutMs } = this.#options;
    let socket: Socket;
    try {
      socket = openSocket(address, { tls, protocols: ['h2'], keepAliveMs, onread: undefined });
    } catch (error) {
      // A certificate that is not there.
      queueMicrotask(() => this.#close(error));
      return undefined;
    }
    const session = connect(tls === undefined ? 'http://endpoint' : 'https://endpoint', {
      ...LIMITS,
      createConnection: () => socket,
    });
    session.unref();
    let handle: unknown;
    const timer = setTimeout(() => session.destroy(new Error('connect timeout')), connectTimeoutMs);
    timer.unref();
    session.on('connect', () => {
      clearTimeout(timer);
      handle = nativeHandle(session);
      this.#onConnect(session, socket);
    });
    session.on('remoteSettings', ({ maxConcurrentStreams = Infinity }) => {
      this.#maxStreams = Math.min(maxConcurrentStreams, this.#options.maxStreams);
    });
    session.on('goaway', (_code: number, lastStream: number) => {
      this.#lastStream = Math.min(this.#lastStream, lastStream);
      this.retire();
    });
    session.on('error', (error) => {
      this.#trouble ??= error;
      setTimeout(() => void handle, KEEP_BROKEN_MS).unref();
    });
    session.on('close', () => {
      clearTimeout(timer);
      this.#close(this.#trouble);
    });
    return session;
  }

  #onConnect(session: ClientHttp2Session, socket: Socket): void {
    if (this.#options.tls !== undefined && (socket as TLSSocket).alpnProtocol !== 'h2') {
      session.destroy(new Error('the endpoint does not speak HTTP/2 over TLS'));
      return;
    }
    session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    if (this.#state === 'connecting') this.#state = 'open';
    const early = [...this.#early];
    this.#early.clear();
    for (const exchange of early) this.#begin(exchange);
  }

  #begin(exchange: Http2Exchange): void {
    if (this.#session !== undefined) exchange.begin(this.#session);
  }

  #close(error: unknown): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#trouble ??= error;
    this.#options.onClose();
    const detail = error === undefined ? 'session closed' : describeError(error);
    // They never left: another endpoint may have them.
    for (const exchange of this.#early) exchange.fail({ kind: 'connect', sent: false, reused: false, detail });
    this.#early.clear();
  }
}

/**
 * Node ends the process ("current_nghttp2_memory_ == 0") when its garbage collector takes a session that broke within a header block before
 * the streams of it. So what is native of a broken session is held until they are gone.
 */
const KEEP_BROKEN_MS = 120_000;

function nativeHandle(session: ClientHttp2Session): unknown {
  const key = Object.getOwnPropertySymbols(session).find(({ description }) => description === 'kHandle');
  return key === undefined ? undefined : Object.getOwnPropertyDescriptor(session, key)?.value;
}

/** RFC 9113 section 7. */
const REFUSED_STREAM = 7;
/** PROTOCOL_ERROR, FLOW_CONTROL_ERROR, FRAME_SIZE_ERROR, COMPRESSION_ERROR, HTTP_1_1_REQUIRED. */
const PROTOCOL_CODES: ReadonlySet<number> = new Set([1, 3, 6, 9, 13]);

function isProtocolTrouble(error: unknown): boolean {
  return error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_HTTP2');
}
