/** Owns what a connection is given by whoever listens: the limits, and what all connections of a listener share. */
import type { HeadLimits } from '../head/raw-head.ts';
import type { CoarseClock } from './coarse-clock.ts';
import type { CopyPool } from './copy-pool.ts';
import type { ListenerPlace } from './downstream.ts';
import type { Http1Downstream } from './http1-downstream.ts';

/** Gets the status, such as 431, and who sent it. */
export type OnRefused = (status: number, remoteAddress: string) => void;

export interface Http1ConnectionOptions {
  readonly place: ListenerPlace;
  /** Serves one request; never throws. */
  readonly handler: (request: Http1Downstream) => void;
  readonly clock: CoarseClock;
  readonly copies: CopyPool;
  readonly headTimeoutMs: number;
  readonly keepAliveMs: number;
  /** What answers say of that (lines with their ends); empty where nobody needs to know. */
  readonly keepAliveFields: string;
  readonly head: HeadLimits;
  /** How long a whole body may take, and a client that takes nothing of its answer. Absent: whoever serves the request looks after that. */
  readonly exchangeTimeoutMs?: number;
  /** A client that ends its side has gone: a request under way is broken off. Otherwise it may still wait for its answer. */
  readonly endsWithClient?: boolean;
  readonly onClose: () => void;
  /** Told of what got an answer without being a request. */
  readonly onRefused?: OnRefused | undefined;
}
