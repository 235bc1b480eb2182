/** Owns what the provider is told when a session ends: tokens revoked (RFC 7009), the browser sent to its logout (RP-Initiated Logout 1.0). */
import { delay, describeError } from '@kfctl/core';
import type { Logger } from '@kfctl/core';
import { clientCredentials } from '../login/client-credentials.ts';
import type { ClientSettings } from '../login/client-credentials.ts';
import type { ProviderHttp } from '../provider/provider-http.ts';
import type { ProviderMetadata } from '../provider/metadata.ts';
import type { Provider } from '../provider/provider.ts';
import type { SessionTokenSet } from '@kfctl/oidc';
import type { Sessions } from '../session/sessions.ts';

export interface ProviderLogout {
  /** The tokens kept with a session; none when the store does not answer: ending the session must not wait for it. */
  tokensOf(sessionId: string): Promise<SessionTokenSet>;
  /** Never throws and never waits for long: a provider that cannot be told neither keeps a session alive nor anybody waiting. */
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
    readonly postLogoutRedirectUri: string | undefined;
    readonly authorizationUrl: string | undefined;
    readonly endSessionUrl: string | undefined;
  };
}

/** The person has logged out here by then; what the provider does with its tokens goes on behind. */
const PATIENCE_MS = 1_500;
/** Longer ones would make addresses that proxies refuse. Without a hint the provider asks the person first. */
const MAX_HINT_CHARACTERS = 4_096;

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
  const revokeBoth = async ({ refreshToken, accessToken }: SessionTokenSet): Promise<void> => {
    if (refreshToken !== undefined) await revokeOne(refreshToken, 'refresh_token');
    if (accessToken !== undefined) await revokeOne(accessToken, 'access_token');
  };
  return {
    tokensOf: (id) =>
      sessions.tokensOf(id).catch((error: unknown) => {
        log.warn('tokens of an ending session not available', { error: describeError(error) });
        return {};
      }),
    revoke: async (tokens) => {
      const abort = new AbortController();
      const revoked = revokeBoth(tokens).catch((error: unknown) => {
        log.warn('tokens not revoked', { error: describeError(error) });
      });
      await Promise.race([revoked, delay(PATIENCE_MS, abort.signal)]);
      abort.abort();
    },
    address: ({ idToken = '' }) => {
      const { afterLogoutUrl, postLogoutRedirectUri, clientId } = settings;
      const url = endSessionUrlOf(settings, provider.metadata());
      if (url === undefined) return afterLogoutUrl;
      const parameters = new URLSearchParams({ client_id: clientId });
      if (idToken !== '' && idToken.length <= MAX_HINT_CHARACTERS) parameters.set('id_token_hint', idToken);
      if (postLogoutRedirectUri !== undefined) parameters.set('post_logout_redirect_uri', postLogoutRedirectUri);
      return `${url}${url.includes('?') ? '&' : '?'}${parameters}`;
    },
  };
}

/**
 * Where browsers log out at a provider that has such a page: as named, as discovered, or, where browsers reach the provider by another
 * origin than we do (OIDC_AUTH_URL, the same path), at the discovered page there. Otherwise the page may be for us alone.
 */
function endSessionUrlOf(
  { endSessionUrl, authorizationUrl }: ProviderLogoutDeps['settings'],
  metadata: ProviderMetadata | undefined,
): string | undefined {
  const discovered = metadata?.endSessionEndpoint;
  if (discovered === undefined) return undefined;
  if (endSessionUrl !== undefined) return endSessionUrl;
  return authorizationUrl === undefined ? discovered : besideLogin(discovered, authorizationUrl, metadata);
}

/** Undefined where the address for browsers is not the discovered one at another origin. */
function besideLogin(
  discovered: string,
  authorizationUrl: string,
  metadata: ProviderMetadata | undefined,
): string | undefined {
  const [page, login] = [URL.parse(discovered), URL.parse(metadata?.authorizationEndpoint ?? '')];
  if (page === null || login === null || page.origin !== login.origin) return undefined;
  const forBrowsers = URL.parse(authorizationUrl, login);
  if (forBrowsers?.pathname !== login.pathname) return undefined;
  const path = `${page.pathname}${page.search}`;
  return authorizationUrl.startsWith('/') ? path : `${forBrowsers.origin}${path}`;
}
