/** Owns the choice between HTTP/1.1 and HTTP/2 for one request. */
import type { ProtocolChoice } from './cluster/protocol.ts';
import type { Upstream, UpstreamRequest } from './upstream.ts';

export interface ProtocolUpstreams {
  readonly http1: Upstream;
  readonly http2: Upstream;
}

/** An upstream that speaks what the choice says. */
export function chooseUpstream(choice: ProtocolChoice, { http1, http2 }: ProtocolUpstreams): Upstream {
  if (choice === 'http1') return http1;
  return {
    send: (address, request, handler) => (wantsHttp2(choice, request) ? http2 : http1).send(address, request, handler),
    close() {
      http1.close();
      http2.close();
    },
  };
}

/** WebSockets are opened over HTTP/1.1 always: few servers take them over HTTP/2 (RFC 8441), and those that do take both. */
export function wantsHttp2(
  choice: ProtocolChoice,
  { webSocket, isGrpc, clientIsHttp2 }: Pick<UpstreamRequest, 'webSocket' | 'isGrpc' | 'clientIsHttp2'>,
): boolean {
  if (webSocket) return false;
  if (choice === 'client') return clientIsHttp2;
  return choice === 'http2' || isGrpc;
}
