/** Owns what the provider is told when a session ends: tokens revoked (RFC 7009), the browser sent to its logout (RP-Initiated Logout 1.0). */
import { describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { clientCredentials } from '../login/client-credentials.ts';
import type { ClientSettings } from '../login/client-credentials.ts';
import type { ProviderHttp } from '../provider/provider-http.ts';
import type { Provider } from '../provider/provider.ts';
import type { SessionTokenSet } from '@kfctl/oidc';
import type { Sessions } from '../session/sessions.ts';

export interface ProviderLogout {
  /** The tokens kept with a session; none when the store does not answer: ending the session must not wait for it. */
  tokensOf(sessionId: string): Promise<SessionTokenSet>;
  /** Never throws: a provider that cannot be told does not keep a session alive. */
  revoke(tokens: SessionTokenSet): Promise<void>;
  /** Where the browser goes after logout. */
  address(tokens: SessionTokenSet): string;
}

export interface ProviderLogoutDeps {
  readonly provider: Pick<Provider, 'metadata'>;
  readonly http: ProviderHttp;
  readonly sessions: Pick<Sessions, 'tokensOf'>;
  readonly log: Logger;
  readonly settings: ClientSettings & {
    readonly afterLogoutUrl: string;
    /** The provider's logout page as browsers reach it; undefined: no logout at the provider. */
    readonly endSessionUrl: string | undefined;
  };
}

export function createProviderLogout({ provider, http, sessions, log, settings }: ProviderLogoutDeps): ProviderLogout {
  const revokeOne = async (token: string, hint: string): Promise<void> => {
    const metadata = provider.metadata();
    if (metadata?.revocationEndpoint === undefined) return;
    const { headers, form } = clientCredentials(settings, metadata);
    const response = await http.send({
      method: 'POST',
      url: metadata.revocationEndpoint,
      headers: { ...headers, 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ token, token_type_hint: hint, ...form }).toString(),
    });
    if (response.status !== 200) log.warn('token not revoked', { hint, status: response.status });
  };
  return {
    tokensOf: (id) =>
      sessions.tokensOf(id).catch((error: unknown) => {
        log.warn('tokens of an ending session not available', { error: describeError(error) });
        return {};
      }),
    revoke: async ({ refreshToken, accessToken }) => {
      try {
        if (refreshToken !== undefined) await revokeOne(refreshToken, 'refresh_token');
        if (accessToken !== undefined) await revokeOne(accessToken, 'access_token');
      } catch (error) {
        log.warn('tokens not revoked', { error: describeError(error) });
      }
    },
    address: ({ idToken }) => {
      const { endSessionUrl, afterLogoutUrl, clientId } = settings;
      if (endSessionUrl === undefined || provider.metadata()?.endSessionEndpoint === undefined) return afterLogoutUrl;
      const parameters = new URLSearchParams({ client_id: clientId });
      if (idToken !== undefined) parameters.set('id_token_hint', idToken);
      if (URL.canParse(afterLogoutUrl)) parameters.set('post_logout_redirect_uri', afterLogoutUrl);
      return `${endSessionUrl}${endSessionUrl.includes('?') ? '&' : '?'}${parameters}`;
    },
  };
}
