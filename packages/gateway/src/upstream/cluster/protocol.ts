/** Owns the choice of the protocol towards a destination: Istio's protocol selection, by the port's appProtocol or name. */
import type { ConnectionLimits } from '../../istio/traffic-policy/connection-limits.ts';

/** `grpc`: HTTP/2 for gRPC requests, HTTP/1.1 for all others. `client`: the protocol that the client came with. */
export type ProtocolChoice = 'http1' | 'http2' | 'grpc' | 'client';

const HTTP2 = new Set(['http2', 'grpc', 'grpc-web', 'kubernetes.io/h2c']);
const HTTP1 = new Set(['http', 'https', 'kubernetes.io/ws', 'kubernetes.io/wss']);

/**
 * `declared` is the appProtocol, or the port's name: `<protocol>` or `<protocol>-<suffix>`. A port that declares nothing gets HTTP/1.1,
 * except for gRPC requests, which no HTTP/1.1 server could answer.
 */
export function chooseProtocol(declared: string, limits: ConnectionLimits | undefined): ProtocolChoice {
  const name = declared.toLowerCase();
  if (isOneOf(HTTP2, name)) return 'http2';
  if (limits?.useClientProtocol === true) return 'client';
  if (limits?.upgradeToHttp2 === true) return 'http2';
  return isOneOf(HTTP1, name) ? 'http1' : 'grpc';
}

function isOneOf(protocols: ReadonlySet<string>, name: string): boolean {
  if (protocols.has(name)) return true;
  return [...protocols].some((protocol) => name.startsWith(`${protocol}-`));
}
