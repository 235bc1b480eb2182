/** Owns the names of response fields that end at the gateway, over either protocol (RFC 9110 §7.6.1, RFC 9113 §8.2.2). */

export const HOP_BY_HOP: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-connection',
  'http2-settings',
  'transfer-encoding',
  'upgrade',
  'trailer',
  'te',
]);
