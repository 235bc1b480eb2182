/**
 * The door of HTTP/2, apart from that of the package: its tables and code are 4 MB of a process, and of those that import HTTP only the
 * gateway speaks it with clients.
 */
export { HpackEncoder } from './hpack/encoder.ts';
export { Http2Connection } from './http2-connection.ts';
export type { Http2ConnectionOptions } from './http2-connection.ts';
