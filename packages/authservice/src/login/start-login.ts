/** Owns the beginning of a login: the redirect to the provider (OpenID Connect Core §3.1.2.1) and the cookie that binds it to the tab. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Clock } from '@kfctl/core';
import {
  cookieNames,
  flowCookiePrefix,
  renderCookie,
  renderCookieRemoval,
  safeReturnPath,
  surplusFlowCookies,
} from '@kfctl/oidc';
import type { CookieAttributes, LoginFlows } from '@kfctl/oidc';
import type { Provider } from '../provider/provider.ts';
import { errorPage } from '../pages/page.ts';
import { redirect } from '../server/answer.ts';
import type { Answer } from '../server/answer.ts';

export interface StartLoginDeps {
  readonly flows: LoginFlows;
  readonly provider: Pick<Provider, 'metadata'>;
  readonly clock: Clock;
  readonly cookieAttributes: CookieAttributes;
  readonly settings: {
    /** Instead of the discovered authorization endpoint; may be a path. */
    readonly authorizationUrl: string | undefined;
    readonly clientId: string;
    readonly redirectUri: string;
    readonly scopes: readonly string[];
    /** Instead of the page that was asked for; '' keeps it. */
    readonly afterLoginUrl: string;
    /** It is told that page, as `next`. */
    readonly afterLoginNamesPage: boolean;
  };
}

/** How long a person may look at the login page. */
export const LOGIN_LIFETIME_MS: number = 20 * 60_000;
/** More tabs than this that wait for a login at once push out the oldest: Cookie headers must stay within servers' limits. */
const MAX_FLOW_COOKIES = 110;

export type StartLogin = (headers: IncomingHttpHeaders, returnTo: string) => Answer;

export function createStartLogin(deps: StartLoginDeps): StartLogin {
  const { flows, provider, clock, cookieAttributes, settings } = deps;
  // The cookie comes back on a redirect from the provider's site: with Strict no browser would send it.
  const attributes: CookieAttributes = { ...cookieAttributes, httpOnly: true, sameSite: 'Lax' };
  const prefix = flowCookiePrefix(attributes.secure);
  return (headers, returnTo) => {
    const metadata = provider.metadata();
    if (metadata === undefined) return errorPage(503, 'The login service is starting. Please try again in a moment.');
    const flow = flows.begin(destinationOf(settings, returnTo), clock.now());
    const parameters = new URLSearchParams({
      client_id: settings.clientId,
      redirect_uri: settings.redirectUri,
      response_type: 'code',
      scope: settings.scopes.join(' '),
      state: flow.state,
      nonce: flow.nonce,
      code_challenge: flow.codeChallenge,
      code_challenge_method: 'S256',
    });
    const address = settings.authorizationUrl ?? metadata.authorizationEndpoint;
    const surplus = surplusFlowCookies(cookieNames(headers.cookie, prefix), MAX_FLOW_COOKIES);
    return redirect(302, `${address}${address.includes('?') ? '&' : '?'}${parameters}`, [
      renderCookie({ ...flow.cookie, maxAgeSeconds: LOGIN_LIFETIME_MS / 1000 }, attributes),
      ...surplus.filter(isOurForm).map((name) => renderCookieRemoval(name, attributes)),
    ]);
  };
}

/** A page that makes the address too long is left out rather than the address. */
function destinationOf({ afterLoginUrl, afterLoginNamesPage }: StartLoginDeps['settings'], returnTo: string): string {
  if (afterLoginUrl === '') return returnTo;
  if (!afterLoginNamesPage) return afterLoginUrl;
  const next = new URLSearchParams({ next: safeReturnPath(returnTo) ?? '/' });
  return safeReturnPath(`${afterLoginUrl}${afterLoginUrl.includes('?') ? '&' : '?'}${next}`) ?? afterLoginUrl;
}

/** Names come from the browser: only what we could have set is set back. */
function isOurForm(name: string): boolean {
  return /^[\w-]{1,64}$/.test(name);
}
