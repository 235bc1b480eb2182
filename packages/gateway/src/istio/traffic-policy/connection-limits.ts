/** Owns reading of `trafficPolicy.connectionPool`: how many connections and requests a destination gets, and over which protocol. */
import type { Fields } from '../fields.ts';

/** Absent means the gateway's own default. Counts are for the whole destination, as Envoy's are for a cluster. */
export interface ConnectionLimits {
  readonly maxConnections: number | undefined;
  readonly connectTimeoutMs: number | undefined;
  readonly keepAliveMs: number | undefined;
  readonly maxPendingRequests: number | undefined;
  readonly maxRequests: number | undefined;
  readonly maxRequestsPerConnection: number | undefined;
  readonly maxRetries: number | undefined;
  readonly idleTimeoutMs: number | undefined;
  readonly maxConcurrentStreams: number | undefined;
  /** `UPGRADE`: HTTP/2 also where the port's name says http. */
  readonly upgradeToHttp2: boolean | undefined;
  /** The protocol that the client came with. */
  readonly useClientProtocol: boolean;
}

const COUNT = { min: 0, max: 4_294_967_295 };

export function parseConnectionLimits(fields: Fields | undefined): ConnectionLimits | undefined {
  if (fields === undefined) return undefined;
  const tcp = fields.child('tcp');
  const http = fields.child('http');
  fields.done();
  const keepAlive = tcp?.child('tcpKeepalive');
  keepAlive?.withoutEffect('probes', 'no effect: the system says how many');
  keepAlive?.withoutEffect('interval', 'no effect: the system says how often');
  const limits: ConnectionLimits = {
    maxConnections: positive(tcp, 'maxConnections'),
    connectTimeoutMs: tcp?.durationMs('connectTimeout') || undefined,
    keepAliveMs: keepAlive === undefined ? undefined : (keepAlive.durationMs('time') ?? 7_200_000),
    maxPendingRequests: positive(http, 'http1MaxPendingRequests'),
    maxRequests: positive(http, 'http2MaxRequests'),
    maxRequestsPerConnection: positive(http, 'maxRequestsPerConnection'),
    maxRetries: http?.integer('maxRetries', COUNT),
    idleTimeoutMs: http?.durationMs('idleTimeout') || undefined,
    maxConcurrentStreams: positive(http, 'maxConcurrentStreams'),
    upgradeToHttp2: parseUpgrade(http),
    useClientProtocol: http?.boolean('useClientProtocol') ?? false,
  };
  keepAlive?.done();
  tcp?.withoutEffect('maxConnectionDuration', 'no effect: use http.maxRequestsPerConnection or http.idleTimeout');
  tcp?.withoutEffect('idleTimeout', 'no effect: it is for streams without HTTP; use http.idleTimeout');
  tcp?.done();
  http?.done();
  return limits;
}

/** Zero means unset, as in the protobuf that Istio reads these from. */
function positive(fields: Fields | undefined, name: string): number | undefined {
  return fields?.integer(name, COUNT) || undefined;
}

function parseUpgrade(http: Fields | undefined): boolean | undefined {
  const text = http?.string('h2UpgradePolicy');
  if (text === undefined || text === 'DEFAULT') return undefined;
  if (text !== 'UPGRADE' && text !== 'DO_NOT_UPGRADE') http?.problem('h2UpgradePolicy', `"${text}" is not known`);
  return text === 'UPGRADE';
}
