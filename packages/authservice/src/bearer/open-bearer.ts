/** Owns which kinds of bearer tokens are taken; the order does not matter, each token is of one kind. */
import type { Clock, Environment } from '@kfctl/core';
import type { Caller } from '@kfctl/oidc';
import type { Config } from '../config/config.ts';
import type { ProviderHttp } from '../provider/provider-http.ts';
import type { Provider } from '../provider/provider.ts';
import { createBearer } from './bearer-cache.ts';
import type { BearerAuthenticator } from './bearer-cache.ts';
import { createIntrospectionAuthenticator } from './introspection-authenticator.ts';
import { createJwtAuthenticator } from './jwt-authenticator.ts';

export interface OpenBearerDeps {
  readonly provider: Provider;
  readonly http: ProviderHttp;
  readonly env: Environment;
  readonly clock: Clock;
}

export async function openBearer(
  config: Config,
  { provider, http, env, clock }: OpenBearerDeps,
): Promise<(token: string) => Promise<Caller | undefined>> {
  const { issuer, identityRules, bearer, clientId } = config;
  const authenticators: BearerAuthenticator[] = [];
  const audiences = [
    ...(bearer.idTokens ? [clientId] : []),
    ...(bearer.accessTokens === 'jwt' ? bearer.audiences : []),
  ];
  if (audiences.length > 0) {
    authenticators.push(createJwtAuthenticator({ issuer, audiences, provider, identityRules, clock }));
  }
  if (bearer.accessTokens === 'opaque') {
    const ours = [clientId, ...bearer.audiences];
    const opaque = { provider, http, settings: config, audiences: ours, identityRules };
    authenticators.push(createIntrospectionAuthenticator(opaque));
  }
  if (bearer.kubernetesTokens) {
    const { createKubeClient, loadKubeConfig } = await import('@kfctl/kube');
    const { createKubernetesAuthenticator } = await import('./kubernetes-authenticator.ts');
    const client = createKubeClient(await loadKubeConfig({ env }));
    authenticators.push(createKubernetesAuthenticator({ client, audiences: bearer.audiences, oidcIssuer: issuer }));
  }
  return createBearer({ authenticators, clock, beliefMs: bearer.beliefMs });
}
