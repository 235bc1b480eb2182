/** Owns the way of a logout through the upstream that the person logged in at, and back: `/logout/callback`. */
import { describeError } from '@kfctl/core';
import type { HttpHandler } from '@kfctl/http';
import { redirectTo } from '../authorize/respond.ts';
import { pageError } from '../pages/error-page.ts';
import { loggedOutPage } from '../pages/logout-pages.ts';
import type { ProviderDeps } from '../provider.ts';
import type { LoginSession } from '../storage/records.ts';

interface ReturnState {
  /** Where the client wants the browser; empty for our own page. */
  readonly target: string;
  readonly expiresAt: number;
}

const PURPOSE = 'logout';
const LIFETIME_MS = 600_000;

/** Where the browser goes to log out there; undefined where nobody needs to be told, or cannot be. */
export async function findUpstreamLogout(
  { connectors, keys, clock, log }: ProviderDeps,
  session: LoginSession,
  target: string,
): Promise<string | undefined> {
  const { connectorId, logoutHint: hint = '' } = session;
  const logout = (await connectors.open(connectorId))?.logout;
  if (logout === undefined) return undefined;
  const carried: ReturnState = { target, expiresAt: clock.now() + LIFETIME_MS };
  try {
    return (await logout.begin({ hint, state: keys.current().sealer.seal(PURPOSE, carried) }))?.location;
  } catch (error) {
    // Our own session is over already; the person must learn that rather than see a failure.
    log.warn('upstream cannot be told of a logout', { connector: connectorId, error: describeError(error) });
    return undefined;
  }
}

/** The target was judged before it was sealed; whatever else comes back ends at our page. */
export function createLogoutCallbackEndpoint({ keys, clock, render }: ProviderDeps): HttpHandler {
  return async (request) => {
    if (request.method !== 'GET') throw pageError(400, 'Unsupported request method.');
    const state = request.query.get('state') ?? '';
    await keys.ensureKnown('');
    const opened = keys.current().sealer.open(PURPOSE, state) as ReturnState | undefined;
    if (opened === undefined || opened.expiresAt <= clock.now() || opened.target === '')
      return render(loggedOutPage(), request.path);
    return redirectTo(opened.target, 302);
  };
}
