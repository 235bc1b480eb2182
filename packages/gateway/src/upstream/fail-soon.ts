/** Owns failing a request that never got as far as a connection. */
import type { UpstreamExchange, UpstreamFailure, UpstreamHandler } from './upstream.ts';

const NEVER: UpstreamExchange = { resume: () => undefined, abort: () => undefined };

/** Fails the exchange in a moment, as a connection would: nothing was sent. */
export function failSoon(handler: UpstreamHandler, kind: UpstreamFailure['kind'], detail: string): UpstreamExchange {
  queueMicrotask(() => handler.onFailure({ kind, sent: false, reused: false, detail }));
  return NEVER;
}
