/** Owns the contract between the protocol servers and the proxy: one request and the way to answer it. */
import type { Duplex, Readable } from 'node:stream';
import type { FieldList } from '../request/fields.ts';
import type { RawHead } from '../request/request-head.ts';

export interface Downstream {
  readonly raw: RawHead;
  /** The port that Gateway objects name. */
  readonly port: number;
  readonly isTls: boolean;
  /** Server name of the TLS handshake; empty when there was none. */
  readonly sni: string;
  readonly remoteAddress: string;
  readonly body: Readable;
  /** Called when the client can take more after `write` returned false. */
  onDrain: () => void;
  /** Called once when the client is gone before the answer is complete. */
  onGone: () => void;
  /** `100 Continue`. */
  sendContinue(): void;
  sendHead(status: number, fields: readonly string[], hasBody: boolean): void;
  /** False: wait for `onDrain`. */
  write(chunk: Buffer): boolean;
  end(trailers: FieldList): void;
  /** Breaks off, so that the client can tell the answer is incomplete. */
  abort(): void;
  /** Answers the upgrade and gives the stream. */
  acceptWebSocket(fields: readonly string[]): Duplex;
}

/** Serves one request; never throws. */
export type DownstreamHandler = (downstream: Downstream) => void;
