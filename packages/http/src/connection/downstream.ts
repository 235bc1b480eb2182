/** Owns the contract between the protocol servers and the proxy: one request and the way to answer it. */
import type { Duplex, Readable } from 'node:stream';
import type { FieldList } from '../message/fields.ts';
import type { AcceptedHead, RawHead } from '../head/raw-head.ts';

/** What a request needs to know of the listener it came through. */
export interface ListenerPlace {
  /** The port that Gateway objects name. */
  readonly port: number;
  readonly isTls: boolean;
}

/** An object and not two functions: closures that requests hold are promoted by V8's young collection and keep the request with them. */
export interface DownstreamListener {
  /** The client can take more after `write` returned false. */
  onDrain(): void;
  /** Called once when the client is gone before the answer is complete. */
  onGone(): void;
}

export const NO_LISTENER: DownstreamListener = { onDrain: () => undefined, onGone: () => undefined };

export interface Downstream {
  readonly raw: RawHead;
  /** The port that Gateway objects name. */
  readonly port: number;
  readonly isTls: boolean;
  /** Server name of the TLS handshake; empty when there was none. */
  readonly sni: string;
  readonly remoteAddress: string;
  /** The request's body; nothing of it is read before somebody asks for it here. */
  readonly body: Readable;
  /** Trailer fields of the request, once its body has ended, where the server reads them. */
  readonly trailers?: FieldList;
  /** Who is told of the client from now on. */
  listener: DownstreamListener;
  /**
   * The head was found good: its body ends where `head.body` says, judged once for the server and the proxy. Called before anything else;
   * an answer without it ends an HTTP/1 connection, since nobody knows where the next request would start.
   */
  accept(head: AcceptedHead): void;
  /** `100 Continue`. */
  sendContinue(): void;
  /** No request is taken from this connection after the answer. */
  retire(): void;
  sendHead(status: number, fields: readonly string[], hasBody: boolean): void;
  /** The bytes are copied where they are kept: the caller may overwrite them. False: wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  end(trailers: FieldList): void;
  /** Breaks off, so that the client can tell the answer is incomplete. */
  abort(): void;
  /** Answers the upgrade and gives the stream. */
  acceptWebSocket(fields: readonly string[]): Duplex;
}

/** Serves one request; never throws. */
export type DownstreamHandler = (downstream: Downstream) => void;
