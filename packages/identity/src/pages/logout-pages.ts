/** Owns the pages of logging out. */
import { markup } from './markup.ts';
import type { Page } from './page.ts';
import type { TemplatePage } from './template-pages.ts';

const KEPT = ['id_token_hint', 'client_id', 'post_logout_redirect_uri', 'state'] as const;

interface Asked {
  /** Path of the request. */
  readonly path: string;
  readonly parameters: URLSearchParams;
  /** The parameters came in the address, where a form without fields of its own can take them along. */
  readonly inAddress: boolean;
}

/** Asks, where nobody vouches that the person wants it. */
export function confirmLogoutPage({ path, parameters, inAddress }: Asked): Page {
  const kept = KEPT.map((name) => {
    const value = parameters.get(name);
    return value === null ? markup`` : markup`<input type="hidden" name="${name}" value="${value}">`;
  });
  return {
    status: 200,
    title: 'Log out',
    leavesOrigin: true,
    ...(inAddress ? { template: confirmTemplate(path, parameters) } : {}),
    content: markup`<h1>Do you want to log out?</h1>
<form method="post" action="${path}">
${kept}
<input type="hidden" name="logout" value="yes">
<button type="submit" id="submit-login">Log out</button>
</form>`,
  };
}

// Dex's template posts an empty form to ReqPath.
function confirmTemplate(path: string, parameters: URLSearchParams): TemplatePage {
  const kept = KEPT.flatMap((name) => parameters.getAll(name).map((value) => [name, value]));
  const address = `${path}?${new URLSearchParams([...kept, ['logout', 'yes']]).toString()}`;
  return { file: 'logout.html', data: { ShowConfirmation: true, LoggedOut: false, BackURL: '', ReqPath: address } };
}

export function loggedOutPage(): Page {
  return {
    status: 200,
    title: 'Logged out',
    template: { file: 'logout.html', data: { ShowConfirmation: false, LoggedOut: true, BackURL: '' } },
    content: markup`<h1>You are logged out</h1>
<p>You can close this window.</p>`,
  };
}
