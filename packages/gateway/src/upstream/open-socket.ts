/** Owns opening the socket of a connection to an endpoint, with or without TLS. */
import { connect } from 'node:net';
import type { OnReadOpts, Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { UpstreamTls } from './tls/upstream-tls.ts';
import type { UpstreamAddress } from './upstream.ts';

export interface SocketOptions {
  readonly tls: UpstreamTls | undefined;
  /** For TLS. */
  readonly protocols: readonly string[];
  /** TCP keep-alive begins after this long. */
  readonly keepAliveMs: number | undefined;
  readonly onread: OnReadOpts | undefined;
}

/** Throws when TLS wants a certificate that is not there. With TLS `secureConnect` says that it is open, otherwise `connect`. */
export function openSocket({ host, port }: UpstreamAddress, options: SocketOptions): Socket {
  const { tls, protocols, keepAliveMs, onread } = options;
  const place = { host, port, noDelay: true, ...(onread === undefined ? {} : { onread }) };
  const base = keepAliveMs === undefined ? place : { ...place, keepAlive: true, keepAliveInitialDelay: keepAliveMs };
  if (tls === undefined) return connect(base);
  const socket = connectTls({ ...base, ...tls(protocols) });
  // Nothing may leave before the peer is known to be who it should be.
  socket.cork();
  return socket.once('secureConnect', () => socket.uncork());
}
