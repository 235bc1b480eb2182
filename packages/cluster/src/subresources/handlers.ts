/** Owns the one table of subresources and virtual resources that have a handler of their own. */
import type { SubresourceHandler } from '../api/resource-handler.ts';
import type { Registry } from '../registry/registry.ts';
import { createBinding, createEviction } from './pod-actions.ts';
import { createPodLog } from './pod-log.ts';
import type { NodeSource } from './pod-log.ts';
import { createReviews } from './reviews.ts';
import type { ReviewDeps } from './reviews.ts';
import { createScale } from './scale.ts';
import { createTokenRequests } from './token-request.ts';

export interface SubresourceDeps extends ReviewDeps {
  readonly registry: Registry;
  readonly node: NodeSource;
}

export function createSubresourceHandlers(deps: SubresourceDeps): ReadonlyMap<string, SubresourceHandler> {
  const { registry, tokens, node } = deps;
  return new Map<string, SubresourceHandler>([
    ...createReviews(deps),
    ['/serviceaccounts/token', createTokenRequests(registry, tokens)],
    ['/pods/binding', createBinding(registry)],
    ['/pods/eviction', createEviction(registry)],
    ['/pods/log', createPodLog(registry, node)],
    ['*/scale', createScale(registry)],
  ]);
}
