/** Owns the contract of a cluster: one port of a service, or a subset of its pods, under one policy. */
import type { EndpointSet } from '../service-directory.ts';
import { pickEndpoint } from '../service-directory.ts';
import type { Upstream, UpstreamAddress, UpstreamExchange, UpstreamHandler, UpstreamRequest } from '../upstream.ts';
import type { BalancedRequest } from './hash-key.ts';
import { isTried } from './host.ts';
import type { ProtocolChoice } from './protocol.ts';

export interface Attempt {
  readonly address: UpstreamAddress;
  readonly isRetry: boolean;
}

/** Endpoints that had the request before; `areAvoided`: none of them is picked while there are others. */
export interface Tried {
  readonly addresses: readonly UpstreamAddress[];
  readonly areAvoided: boolean;
}

export interface Cluster {
  readonly endpoints: EndpointSet;
  readonly protocol: ProtocolChoice;
  /** False: as many retries are on their way as may be. */
  readonly hasRoomForRetry: boolean;
  /** The endpoint for a request; undefined when nobody can take it. */
  pick(request: BalancedRequest, tried: Tried): UpstreamAddress | undefined;
  send(attempt: Attempt, request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange;
}

/** A destination that no rule says anything about: endpoints in turn, and nothing else to do for each request. */
export class PlainCluster implements Cluster {
  readonly endpoints: EndpointSet;
  readonly protocol: ProtocolChoice;
  readonly hasRoomForRetry = true;
  readonly #upstream: Upstream;

  constructor(endpoints: EndpointSet, protocol: ProtocolChoice, upstream: Upstream) {
    this.endpoints = endpoints;
    this.protocol = protocol;
    this.#upstream = upstream;
  }

  pick(_request: BalancedRequest, { addresses, areAvoided }: Tried): UpstreamAddress | undefined {
    let picked = pickEndpoint(this.endpoints);
    if (addresses.length === 0 || !areAvoided) return picked;
    // Others have taken turns meanwhile.
    for (let turn = 1; turn < this.endpoints.addresses.length; turn += 1) {
      if (picked === undefined || !isTried(picked, addresses)) break;
      picked = pickEndpoint(this.endpoints);
    }
    return picked;
  }

  send({ address }: Attempt, request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    return this.#upstream.send(address, request, handler);
  }
}
