/** Owns the pages of logging in: the choice of connectors, name and password, approval, and the code to copy. */
import { errorTemplate } from './error-page.ts';
import { markup } from './markup.ts';
import type { Markup } from './markup.ts';
import type { Page } from './page.ts';
import type { TemplatePage } from './template-pages.ts';

export interface ConnectorLink {
  readonly id: string;
  readonly name: string;
  readonly type: string;
  readonly href: string;
}

export function chooseConnectorPage(links: readonly ConnectorLink[]): Page {
  const items = links.map(
    ({ name, type, href }) =>
      markup`<li><a class="button plain dex-btn-icon--${type}" href="${href}">Log in with ${name}</a></li>`,
  );
  const connectors = links
    .map(({ id, name, type, href }) => ({ ID: id, Name: name, URL: href, Type: type }))
    .toSorted((left, right) => (left.Name < right.Name ? -1 : Number(left.Name > right.Name)));
  return {
    status: 200,
    title: 'Log in',
    content: markup`<h1>Log in</h1><ul class="choices">${items}</ul>`,
    template: { file: 'login.html', data: { Connectors: connectors } },
  };
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
    template: passwordTemplate(
      { prompt, username, back, ...page, ...(remember === undefined ? {} : { remember }) },
      error,
    ),
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

// Dex's template knows one mistake, a wrong password; told to who has to wait it would be a lie.
function passwordTemplate(page: Omit<PasswordPage, 'error'>, error: string | undefined): TemplatePage {
  if (page.status === 429) return errorTemplate(page.status, error ?? '');
  const data = {
    PostURL: page.action,
    BackLink: page.back,
    Username: page.username,
    UsernamePrompt: page.prompt,
    Invalid: error !== undefined,
    SessionsEnabled: page.remember !== undefined,
    RememberMeChecked: page.remember === true,
  };
  return { file: 'password.html', data };
}

function rememberBox(checked: boolean): Markup {
  return markup`<label class="check" for="remember"><input type="checkbox" id="remember" name="remember" value="true"${
    checked ? markup` checked` : undefined
  }> Remember me on this computer</label>`;
}

// Dex may ask here whether to remember; we asked with the password, and remember others as the configuration says.
const NOTHING_TO_REMEMBER = { SessionsEnabled: false, RememberMeChecked: false };

export interface ApprovalPage {
  readonly clientName: string;
  readonly userName: string;
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

export function approvalPage({ clientName, userName, requestId, scopes, action, leavesOrigin }: ApprovalPage): Page {
  const words = scopes.flatMap((scope) => SCOPE_WORDS[scope] ?? []);
  const items = words.map((words) => markup`<li>${words}</li>`);
  const data = {
    User: userName,
    Client: clientName,
    AuthReqID: requestId,
    Scopes: words.toSorted(),
    ...NOTHING_TO_REMEMBER,
  };
  const form = (approval: string, label: string, style: string) => markup`<form method="post" action="${action}">
<input type="hidden" name="req" value="${requestId}">
<input type="hidden" name="approval" value="${approval}">
<button type="submit" class="${style}">${label}</button>
</form>`;
  return {
    status: 200,
    title: 'Grant access',
    leavesOrigin,
    template: { file: 'approval.html', data },
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
    template: { file: 'oob.html', data: { Code: code } },
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
