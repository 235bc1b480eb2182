/** Owns the pages of logging out. */
import { markup } from './markup.ts';
import type { Page } from './page.ts';

const KEPT = ['id_token_hint', 'client_id', 'post_logout_redirect_uri', 'state'] as const;

/** Asks, where nobody vouches that the person wants it. */
export function confirmLogoutPage(action: string, parameters: URLSearchParams): Page {
  const kept = KEPT.map((name) => {
    const value = parameters.get(name);
    return value === null ? markup`` : markup`<input type="hidden" name="${name}" value="${value}">`;
  });
  return {
    status: 200,
    title: 'Log out',
    leavesOrigin: true,
    content: markup`<h1>Do you want to log out?</h1>
<form method="post" action="${action}">
${kept}
<input type="hidden" name="logout" value="yes">
<button type="submit" id="submit-login">Log out</button>
</form>`,
  };
}

export function loggedOutPage(): Page {
  return {
    status: 200,
    title: 'Logged out',
    content: markup`<h1>You are logged out</h1>
<p>You can close this window.</p>`,
  };
}
