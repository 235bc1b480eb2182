/** Owns a certified OpenID provider (oidc-provider) as the upstream of tests, and the browser's way through it. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Provider } from 'oidc-provider';

export const REDIRECT = 'https://login.example.com/dex/callback';
export const LOGGED_OUT = 'https://login.example.com/dex/logout/callback';

export interface OidcUpstream {
  readonly issuer: string;
  close(): void;
}

/** A certified provider as the upstream; its pages log in whoever comes, as `kim`. */
export async function startOidcUpstream(): Promise<OidcUpstream> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: 'dex',
        client_secret: 'upstream-secret',
        redirect_uris: [REDIRECT],
        post_logout_redirect_uris: [LOGGED_OUT],
        grant_types: ['authorization_code', 'refresh_token'],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name', 'preferred_username', 'groups'] },
    conformIdTokenClaims: false,
    cookies: { keys: ['test'] },
    features: { devInteractions: { enabled: false } },
    findAccount: (_context: unknown, sub: string) => ({
      accountId: sub,
      claims: () => ({ sub, email: 'kim@example.com', email_verified: true, name: 'Kim', groups: ['staff', 'admins'] }),
    }),
  });
  const callback = provider.callback();
  server.on('request', (request, response) => {
    if (!request.url?.startsWith('/interaction/')) return void callback(request, response);
    void (async () => {
      const { prompt, params } = await provider.interactionDetails(request, response);
      if (prompt.name === 'login')
        return await provider.interactionFinished(request, response, { login: { accountId: 'kim-1' } });
      const grant = new provider.Grant({ accountId: 'kim-1', clientId: String(params['client_id']) });
      grant.addOIDCScope(String(params['scope']));
      const grantId = await grant.save();
      return await provider.interactionFinished(
        request,
        response,
        { consent: { grantId } },
        { mergeWithLastSubmission: true },
      );
    })();
  });
  return {
    issuer,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Follows the upstream's redirects with its cookies until it sends the browser back to us. */
export async function walkUpstream(start: string, jar: Map<string, string> = new Map()): Promise<URL> {
  let url = new URL(start);
  for (let hop = 0; hop < 20; hop += 1) {
    if (url.href.startsWith(REDIRECT)) return url;
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = line.split(';')[0]?.split('=') ?? [];
      jar.set(name, value);
    }
    url = new URL(response.headers.get('location') ?? 'about:blank', url);
  }
  throw new Error('the upstream goes round in circles');
}
