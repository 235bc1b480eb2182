/** Owns what the gateway states about the client to those behind it. */
import type { Downstream } from '@kfctl/http';
import type { RequestHead } from '../request/request-head.ts';

export interface ClientFacts {
  /** The client, seen through as many proxies as are trusted. */
  readonly remoteIp: string;
  readonly proto: 'http' | 'https';
  readonly forwardedFor: string;
}

const MAX_HOPS = 32;

/**
 * Who is asking. Without trusted proxies nothing that the client claims is used; with N of them the N-th address from the right is
 * the client (Envoy's xff_num_trusted_hops), since only the hops to its right were written by proxies of ours.
 */
export function readClient(downstream: Downstream, head: RequestHead, trustedProxies: number): ClientFacts {
  const peer = plainAddress(downstream.remoteAddress);
  const own = downstream.isTls ? 'https' : 'http';
  if (trustedProxies === 0) return { remoteIp: peer, proto: own, forwardedFor: peer };
  const claimed = (head.claimedFor ?? '')
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  const hops = [...claimed, peer].slice(-MAX_HOPS);
  const proto = head.claimedProto === 'https' || head.claimedProto === 'http' ? head.claimedProto : own;
  return { remoteIp: hops.at(-1 - trustedProxies) ?? hops[0] ?? peer, proto, forwardedFor: hops.join(',') };
}

function plainAddress(address: string): string {
  return address.startsWith('::ffff:') ? address.slice(7) : address;
}

/** What the gateway adds to a request for those behind it. */
export function pushForwarded(fields: string[], { client, head, requestId }: ForwardedFrom): void {
  fields.push('x-forwarded-for', client.forwardedFor, 'x-forwarded-proto', client.proto);
  fields.push('x-forwarded-host', head.authority, 'x-request-id', requestId);
}

interface ForwardedFrom {
  readonly client: ClientFacts;
  readonly head: RequestHead;
  readonly requestId: string;
}
