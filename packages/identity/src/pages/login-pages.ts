/** Owns the pages of logging in: the choice of connectors, name and password, approval, and the code to copy. */
import { markup } from './markup.ts';
import type { Markup } from './markup.ts';
import type { Page } from './page.ts';

export interface ConnectorLink {
  readonly name: string;
  readonly type: string;
  readonly href: string;
}

export function chooseConnectorPage(links: readonly ConnectorLink[]): Page {
  const items = links.map(
    ({ name, type, href }) =>
      markup`<li><a class="button plain dex-btn-icon--${type}" href="${href}">Log in with ${name}</a></li>`,
  );
  return { status: 200, title: 'Log in', content: markup`<h1>Log in</h1><ul class="choices">${items}</ul>` };
}

export interface PasswordPage {
  readonly status: number;
  /** The form posts to the address of the page itself. */
  readonly action: string;
  /** "Email Address", "Username". */
  readonly prompt: string;
  readonly username: string;
  readonly error?: string;
  /** Path-absolute; empty when there is no other way to log in. */
  readonly back: string;
  readonly leavesOrigin: boolean;
  /** Whether "Remember me" is checked; absent where there is nothing to remember. */
  readonly remember?: boolean;
}

export function passwordPage({ prompt, username, error, back, remember, ...page }: PasswordPage): Page {
  const problem =
    error === undefined ? undefined : markup`<div class="error" id="login-error" role="alert">${error}</div>`;
  const described = error === undefined ? undefined : markup` aria-describedby="login-error" aria-invalid="true"`;
  // Whoever has typed their name goes on at the password.
  const [nameFocus, passwordFocus] =
    username === '' ? [markup` autofocus`, undefined] : [undefined, markup` autofocus`];
  return {
    status: page.status,
    title: 'Log in',
    leavesOrigin: page.leavesOrigin,
    content: markup`<h1>Log in to your account</h1>
<form method="post" action="${page.action}">
${problem}
<label for="login">${prompt}</label>
<input type="text" id="login" name="login" value="${username}" placeholder="${prompt.toLowerCase()}"
 required maxlength="320" autocomplete="username" autocapitalize="none" spellcheck="false"${described}${nameFocus}>
<label for="password">Password</label>
<input type="password" id="password" name="password" placeholder="password"
 required maxlength="1024" autocomplete="current-password"${described}${passwordFocus}>
${remember === undefined ? undefined : rememberBox(remember)}
<button type="submit" id="submit-login">Log in</button>
</form>
${back === '' ? undefined : markup`<a class="back" href="${back}">Select another login method.</a>`}`,
  };
}

function rememberBox(checked: boolean): Markup {
  return markup`<label class="check" for="remember"><input type="checkbox" id="remember" name="remember" value="true"${
    checked ? markup` checked` : undefined
  }> Remember me on this computer</label>`;
}

export interface ApprovalPage {
  readonly clientName: string;
  readonly requestId: string;
  readonly scopes: readonly string[];
  readonly action: string;
  readonly leavesOrigin: boolean;
}

const SCOPE_WORDS: Readonly<Record<string, string>> = {
  offline_access: 'Have offline access',
  profile: 'View basic profile information',
  email: 'View your email address',
  groups: 'View your groups',
};

export function approvalPage({ clientName, requestId, scopes, action, leavesOrigin }: ApprovalPage): Page {
  const items = scopes.flatMap((scope) => SCOPE_WORDS[scope] ?? []).map((words) => markup`<li>${words}</li>`);
  const form = (approval: string, label: string, style: string) => markup`<form method="post" action="${action}">
<input type="hidden" name="req" value="${requestId}">
<input type="hidden" name="approval" value="${approval}">
<button type="submit" class="${style}">${label}</button>
</form>`;
  return {
    status: 200,
    title: 'Grant access',
    leavesOrigin,
    content: markup`<h1>Grant access</h1>
<p><strong>${clientName}</strong> would like to:</p>
${items.length === 0 ? markup`<p>Know that you have logged in.</p>` : markup`<ul>${items}</ul>`}
${form('approve', 'Grant access', '')}
${form('rejected', 'Cancel', 'plain')}`,
  };
}

export function codePage(code: string): Page {
  return {
    status: 200,
    title: 'Login successful',
    content: markup`<h1>Login successful</h1>
<p>Copy this code, switch to your application and paste it there:</p>
<p><code id="code">${code}</code></p>`,
  };
}

export function landingPage(discovery: string): Page {
  return {
    status: 200,
    title: 'Welcome',
    content: markup`<h1>OpenID Connect provider</h1>
<p>Applications find it through its <a href="${discovery}">discovery document</a>.</p>`,
  };
}

export interface ForwardPage {
  readonly action: string;
  readonly fields: Readonly<Record<string, string>>;
}

/** Takes the browser to an identity provider with a form; the button is for browsers without scripts. */
export function forwardPage({ action, fields }: ForwardPage): Page {
  const inputs = Object.entries(fields).map(
    ([name, value]) => markup`<input type="hidden" name="${name}" value="${value}">`,
  );
  return {
    status: 200,
    title: 'Log in',
    leavesOrigin: true,
    submits: true,
    content: markup`<h1>One moment</h1>
<p>You are being taken to where you log in.</p>
<form method="post" action="${action}">
${inputs}
<button type="submit" id="submit-login">Continue</button>
</form>`,
  };
}
