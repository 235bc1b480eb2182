/** Owns the contract between the proxy and whatever carries a request to an endpoint. */
import type { Duplex, Readable } from 'node:stream';
import type { FieldList } from '@kfctl/http';

export interface UpstreamAddress {
  readonly host: string;
  readonly port: number;
  /** The pod that listens there, where it is one. */
  readonly pod?: string | undefined;
}

/** A request whose parts are all checked: nothing in it can end a line early. */
export interface UpstreamRequest {
  readonly method: string;
  /** Path and query. */
  readonly target: string;
  readonly authority: string;
  readonly fields: FieldList;
  readonly body: UpstreamBody;
  readonly webSocket: boolean;
  readonly isGrpc: boolean;
  readonly clientIsHttp2: boolean;
}

export type UpstreamBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'length'; readonly bytes: number; readonly source: Readable }
  /** `trailers` is asked once the source has ended. */
  | { readonly kind: 'chunked'; readonly source: Readable; readonly trailers: () => FieldList };

export interface UpstreamHead {
  readonly status: number;
  /** Flat, lower-case names, without hop-by-hop fields. */
  readonly fields: string[];
  /** Bytes of the body; undefined when only its end will tell. */
  readonly length: number | undefined;
  readonly hasBody: boolean;
}

export interface UpstreamFailure {
  /** `remote-reset`: the endpoint gave this request up, not the connection. */
  readonly kind: 'connect' | 'reset' | 'remote-reset' | 'protocol' | 'overflow';
  /** The server may have seen the request: trying again may do things twice. */
  readonly sent: boolean;
  /** The connection had served before: it may have died idle. */
  readonly reused: boolean;
  readonly detail: string;
  /** Of an HTTP/2 stream (RFC 9113 section 7). */
  readonly code?: number;
}

/** Exactly one of `onEnd`, `onUpgrade` and `onFailure` is the last call; none comes after `abort()`. */
export interface UpstreamHandler {
  onHead(head: UpstreamHead): void;
  /** The bytes may be overwritten once this returns. Returns false to pause until `resume()`. */
  onData(chunk: Buffer): boolean;
  onEnd(trailers: FieldList): void;
  /** 101: the stream is the client's from here. */
  onUpgrade(head: UpstreamHead, stream: Duplex): void;
  onFailure(failure: UpstreamFailure): void;
}

/** `timeout`: the endpoint was too slow. `answered`: the head of its answer was enough. */
export type AbortReason = 'timeout' | 'answered';

export interface UpstreamExchange {
  resume(): void;
  /** Gives up: the connection is not used again. */
  abort(reason?: AbortReason): void;
}

export interface Upstream {
  send(address: UpstreamAddress, request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange;
  /** Ends idle connections now and busy ones when they are done. */
  close(): void;
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS']);

/** The request may be sent again after a failure without doing anything twice. */
export function isReplayable(request: UpstreamRequest): boolean {
  return request.body.kind === 'none' && !request.webSocket && IDEMPOTENT.has(request.method);
}
