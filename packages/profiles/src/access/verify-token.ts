/** Owns the question to the API server whether a token is one of those callers that may speak for people; answers are kept shortly. */
import { resources } from '@kfctl/kube';
import type { KubeClient } from '@kfctl/kube';
import type { VerifyToken } from './identify-caller.ts';

// Importing names of it loads Web Cryptography and more: megabytes in every process for nothing.
const { createHash } = process.getBuiltinModule('node:crypto');

const KEEP_MS = 60_000;
const MAX_KEPT = 1000;

/** Resolves true for a valid token of one of `trusted` (`system:serviceaccount:NS:NAME`). Failures of the review throw: no answer, no entry. */
export function createTokenVerifier(
  client: Pick<KubeClient, 'create'>,
  trusted: ReadonlySet<string>,
  now: () => number = Date.now,
): VerifyToken {
  const known = new Map<string, { readonly good: boolean; readonly until: number }>();
  return async (token) => {
    const digest = createHash('sha256').update(token).digest('base64');
    const kept = known.get(digest);
    if (kept !== undefined && kept.until > now()) return kept.good;
    const review = await client.create(resources.tokenReviews, {
      apiVersion: 'authentication.k8s.io/v1',
      kind: 'TokenReview',
      metadata: {},
      spec: { token },
    });
    const good = review.status?.authenticated === true && trusted.has(review.status.user?.username ?? '');
    if (known.size >= MAX_KEPT) known.clear();
    known.set(digest, { good, until: now() + KEEP_MS });
    return good;
  };
}
