/** Owns tokens of service accounts: the cluster is asked whose they are (TokenReview). */
import { describeError } from '@kfctl/core';
import { decodeJwt } from '@kfctl/oidc';
import { defineResource } from '@kfctl/kube';
import type { KubeClient, KubeObject, ResourceType } from '@kfctl/kube';
import { sessionsUnavailable } from '../errors.ts';
import type { BearerAuthenticator } from './bearer-cache.ts';

interface TokenReview extends KubeObject {
  spec: { readonly token: string; readonly audiences: readonly string[] };
  status?: {
    readonly authenticated?: boolean;
    readonly audiences?: readonly string[];
    readonly user?: { readonly username?: string; readonly groups?: readonly string[] };
  };
}

const tokenReviews: ResourceType<TokenReview> = defineResource<TokenReview>('authentication.k8s.io/v1', 'TokenReview', {
  plural: 'tokenreviews',
  namespaced: false,
});

export interface KubernetesAuthenticatorDeps {
  readonly client: Pick<KubeClient, 'create'>;
  readonly audiences: readonly string[];
  /** Tokens of this issuer are the provider's and never shown to the cluster. */
  readonly oidcIssuer: string;
}

/** Users are named as in the cluster: `system:serviceaccount:NAMESPACE:NAME`. */
export function createKubernetesAuthenticator({
  client,
  audiences,
  oidcIssuer,
}: KubernetesAuthenticatorDeps): BearerAuthenticator {
  return {
    name: 'kubernetes',
    accepts: (token) => {
      const claims = decodeJwt(token)?.claims;
      return claims !== undefined && claims['iss'] !== oidcIssuer;
    },
    authenticate: async (token) => {
      const envelope = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', metadata: {} };
      const review: TokenReview = { ...envelope, spec: { token, audiences } };
      const { status } = await client.create(tokenReviews, review).catch((error: unknown) => {
        throw sessionsUnavailable(`the cluster cannot review a token: ${describeError(error)}`);
      });
      const { username, groups = [] } = status?.user ?? {};
      // A cluster that does not know audiences answers without them: such a token was not made for us.
      const isForUs = status?.audiences?.some((audience) => audiences.includes(audience)) === true;
      if (status?.authenticated !== true || !isForUs || !username) return undefined;
      const expiry = decodeJwt(token)?.claims['exp'];
      return {
        caller: { userId: username, groups },
        expiresAtMs: typeof expiry === 'number' ? expiry * 1000 : Infinity,
      };
    },
  };
}
