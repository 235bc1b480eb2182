/** Owns the names of older AuthServices that are taken and mean nothing here, each with what does their work now. */
import type { Environment } from '@kfctl/core';

const WITHOUT_EFFECT: Readonly<Record<string, string>> = {
  LOGOUT_COOKIE: 'a logout always deletes the cookie',
  OIDC_STATE_STORE_PATH: 'logins under way are stored nowhere',
  WEB_SERVER_PORT: 'pages are answered on the port of the check',
  HOMEPAGE_URL: 'there is no home page of ours',
  CLIENT_NAME: 'pages have no templates',
  THEMES_URL: 'pages have no templates',
  THEME: 'pages have no templates',
  TEMPLATE_PATH: 'pages have no templates',
};

/** Those of a process's environment, with the reason: an operator who moves over should know. */
export function settingsWithoutEffect(env: Environment): readonly string[] {
  return Object.keys(env)
    .filter((name) => env[name] !== '' && (Object.hasOwn(WITHOUT_EFFECT, name) || name.startsWith('TEMPLATE_CONTEXT_')))
    .map((name) => `${name}: ${WITHOUT_EFFECT[name] ?? 'pages have no templates'}`)
    .toSorted();
}
