/** Owns what a request's head is: as it was cut into parts, and what a connection must know of one that was found good. */
import type { BodyFraming } from './framing.ts';

/** A head as a server adapter hands it over. */
export interface RawHead {
  readonly protocol: 'HTTP/1.0' | 'HTTP/1.1' | 'HTTP/2';
  readonly method: string;
  readonly target: string;
  /** `:authority`; undefined for HTTP/1. */
  readonly authority: string | undefined;
  /** Flat names and values as sent, without pseudo headers. */
  readonly rawFields: readonly string[];
  /** HTTP/2: the stream ended with the head. */
  readonly ended: boolean;
  /** RFC 8441 `:protocol`. */
  readonly extendedProtocol: string | undefined;
}

export interface AcceptedHead {
  readonly body: BodyFraming;
  /** The client asks for another protocol; what it sends next may be in it already. */
  readonly webSocket: boolean;
  readonly expectsContinue: boolean;
  /** HTTP/1: another request may follow on the connection (RFC 9112 section 9.3). HTTP/1.0 clients get one answer for each connection. */
  readonly keepAlive: boolean;
}

/** Where a head is refused for its size (431). */
export interface HeadLimits {
  readonly maxBytes: number;
  readonly maxFields: number;
}

export const HEAD_LIMITS: HeadLimits = { maxBytes: 65_536, maxFields: 100 };
