/** Owns the pages of the device flow. */
import { markup } from './markup.ts';
import type { Page } from './page.ts';

export interface DevicePage {
  readonly status: number;
  readonly action: string;
  readonly userCode: string;
  readonly error?: string;
}

export function devicePage({ status, action, userCode, error }: DevicePage): Page {
  const problem =
    error === undefined ? undefined : markup`<div class="error" id="login-error" role="alert">${error}</div>`;
  return {
    status,
    title: 'Enter code',
    template: { file: 'device.html', data: { PostURL: action, UserCode: userCode, Invalid: error !== undefined } },
    content: markup`<h1>Connect a device</h1>
<p>Enter the code that your device shows. Go on only if you started this yourself.</p>
<form method="post" action="${action}">
${problem}
<label for="user_code">Code</label>
<input type="text" id="user_code" name="user_code" value="${userCode}" required maxlength="20" autocomplete="off" autocapitalize="characters" spellcheck="false" autofocus>
<button type="submit" id="submit-login">Continue</button>
</form>`,
  };
}

export function deviceDonePage(clientName: string): Page {
  return {
    status: 200,
    title: 'Login successful',
    template: { file: 'device_success.html', data: { ClientName: clientName } },
    content: markup`<h1>Login successful for ${clientName}</h1>
<p>Return to your device to continue.</p>`,
  };
}
