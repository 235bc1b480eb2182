/** Owns the contract of a cluster: one port of a service, or a subset of its pods, under one policy. */
import type { EndpointSet } from '../service-directory.ts';
import { pickEndpoint } from '../service-directory.ts';
import type { Upstream, UpstreamAddress, UpstreamExchange, UpstreamHandler, UpstreamRequest } from '../upstream.ts';
import type { BalancedRequest } from './hash-key.ts';

export interface Attempt {
  readonly address: UpstreamAddress;
  readonly isRetry: boolean;
}

export interface Cluster {
  readonly endpoints: EndpointSet;
  /** The endpoint for a request, if possible none that was tried; undefined when nobody can take it. */
  pick(request: BalancedRequest, tried: readonly UpstreamAddress[]): UpstreamAddress | undefined;
  send(attempt: Attempt, request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange;
}

/** A destination that no rule says anything about: endpoints in turn, and nothing else to do for each request. */
export class PlainCluster implements Cluster {
  readonly endpoints: EndpointSet;
  readonly #upstream: Upstream;

  constructor(endpoints: EndpointSet, upstream: Upstream) {
    this.endpoints = endpoints;
    this.#upstream = upstream;
  }

  pick(): UpstreamAddress | undefined {
    return pickEndpoint(this.endpoints);
  }

  send({ address }: Attempt, request: UpstreamRequest, handler: UpstreamHandler): UpstreamExchange {
    return this.#upstream.send(address, request, handler);
  }
}
