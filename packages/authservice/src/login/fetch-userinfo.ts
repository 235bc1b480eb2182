/** Owns what userinfo says of a person (OpenID Connect Core §5.3). Whose it is, the caller compares. */
import type { JwtClaims } from '@kfctl/oidc';
import { requireJsonObject } from '../provider/provider-http.ts';
import type { ProviderHttp } from '../provider/provider-http.ts';
import type { Provider } from '../provider/provider.ts';

export interface UserinfoDeps {
  readonly provider: Pick<Provider, 'requireMetadata'>;
  readonly http: Pick<ProviderHttp, 'send'>;
  readonly settings: { readonly useUserinfo: boolean };
}

/** Undefined where there is nothing to ask, or nothing to ask with; throws PROVIDER_FAILED when it does not answer. */
export async function fetchUserinfo(
  { provider, http, settings }: UserinfoDeps,
  accessToken: string | undefined,
): Promise<JwtClaims | undefined> {
  const { userinfoEndpoint } = provider.requireMetadata();
  if (!settings.useUserinfo || userinfoEndpoint === undefined || accessToken === undefined) return undefined;
  const response = await http.send({ url: userinfoEndpoint, headers: { authorization: `Bearer ${accessToken}` } });
  return requireJsonObject(response, 'userinfo');
}
