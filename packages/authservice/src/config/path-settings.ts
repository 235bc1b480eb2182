/** Owns the settings that are paths: our routes, the exceptions to the check, where people go after a login and a logout. */
import type { EnvReader } from '@kfctl/core';
import { isPlainPath, safeReturnPath } from '@kfctl/oidc';
import type { Config } from './config.ts';
import { isHttpUrl, readBrowserUrl } from './provider-settings.ts';

type PathSettings = Pick<
  Config,
  | 'redirectUri'
  | 'callbackPath'
  | 'exemptPaths'
  | 'urlPrefix'
  | 'verifyPath'
  | 'afterLoginUrl'
  | 'afterLoginNamesPage'
  | 'afterLogoutUrl'
  | 'postLogoutRedirectUri'
>;

const DEFAULT_PREFIX = '/authservice';

export function readPathSettings(reader: EnvReader): PathSettings {
  const prefixSetting = reader.optional('AUTHSERVICE_URL_PREFIX');
  const urlPrefix = readRoute(reader, 'AUTHSERVICE_URL_PREFIX', prefixSetting ?? DEFAULT_PREFIX);
  const redirectUri = reader.string('REDIRECT_URL', defaultRedirectUri(prefixSetting, reader.optional('SELF_URL')));
  const callbackPath = readRoute(reader, 'REDIRECT_URL', redirectUri);
  const afterLogoutUrl = readBrowserUrl(reader, 'AFTER_LOGOUT_URL');
  const verifyPath = readRoute(reader, 'VERIFY_AUTH_URL', reader.string('VERIFY_AUTH_URL', `${urlPrefix}/verify`));
  requireFree(reader, { urlPrefix, verifyPath, callbackPath });
  return {
    redirectUri,
    callbackPath,
    urlPrefix,
    verifyPath,
    exemptPaths: readExemptPaths(reader),
    afterLoginUrl: readAfterLoginUrl(reader),
    afterLoginNamesPage: reader.optional('AFTER_LOGIN_URL') !== undefined,
    afterLogoutUrl: afterLogoutUrl ?? '/',
    postLogoutRedirectUri: postLogoutRedirectUriOf(reader, afterLogoutUrl, redirectUri),
  };
}

/**
 * Where the provider is asked to lead back to: as named; the front page, where the provider is below the same origin by paths alone; otherwise
 * nowhere, since providers refuse places that were not registered.
 */
function postLogoutRedirectUriOf(
  reader: EnvReader,
  afterLogoutUrl: string | undefined,
  redirectUri: string,
): string | undefined {
  if (afterLogoutUrl !== undefined) return absoluteUrl(afterLogoutUrl, redirectUri);
  const isBesideUs = (reader.optional('OIDC_AUTH_URL') ?? '').startsWith('/') && redirectUri.startsWith('/');
  return isBesideUs ? '/' : undefined;
}

/** A path on the site that the redirect URI names; the path where it names none. */
function absoluteUrl(address: string, redirectUri: string): string {
  return isHttpUrl(redirectUri) ? new URL(address, redirectUri).href : address;
}

/** Below the prefix of the last reference, or where the ones before it had it: on the address of SELF_URL, or on whatever this one is. */
function defaultRedirectUri(prefix: string | undefined, selfUrl = ''): string {
  return prefix === undefined ? `${trimSlashes(selfUrl)}/login/oidc` : `${trimSlashes(prefix)}/oidc/callback`;
}

function trimSlashes(text: string): string {
  return text.replace(/\/+$/, '');
}

/** The path of a setting that is an absolute address or a path, without a slash at its end. The front page cannot be a route of ours. */
function readRoute(reader: EnvReader, name: string, value: string): string {
  const path = trimSlashes(isHttpUrl(value) ? new URL(value).pathname : value);
  if (path === '' || !isPlainPath(path))
    reader.problem(name, `"${value}" has no usable path such as ${DEFAULT_PREFIX}`);
  return path;
}

/** Each of our routes answers one question: a callback or a check in another's place would take it away. */
function requireFree(
  reader: EnvReader,
  { urlPrefix, verifyPath, callbackPath }: Pick<PathSettings, 'urlPrefix' | 'verifyPath' | 'callbackPath'>,
): void {
  const below = ['logout', 'api', 'forward-auth', 'site', 'backchannel-logout'];
  const own = ['/logout', ...below.map((name) => `${urlPrefix}/${name}`)];
  const isAtOrBelow = (path: string, place: string): boolean => path === place || path.startsWith(`${place}/`);
  for (const [name, path] of [
    ['VERIFY_AUTH_URL', verifyPath],
    ['REDIRECT_URL', callbackPath],
  ] as const) {
    if (own.some((place) => isAtOrBelow(path, place) || (name === 'VERIFY_AUTH_URL' && isAtOrBelow(place, path))))
      reader.problem(name, `"${path}" is a route of ours already`);
  }
  if (isAtOrBelow(callbackPath, verifyPath))
    reader.problem('REDIRECT_URL', `"${callbackPath}" is below VERIFY_AUTH_URL`);
}

/** `/` would switch the check off, and is refused with everything else that is not a plain path. */
function readExemptPaths(reader: EnvReader): readonly string[] {
  return ['SKIP_AUTH_URI', 'SKIP_AUTH_URLS'].flatMap((name) =>
    reader.list(name).flatMap((path) => {
      const trimmed = trimSlashes(path);
      if (trimmed !== '' && isPlainPath(trimmed)) return [trimmed];
      reader.problem(name, `"${path}" is not a path such as /dex below which no session is needed`);
      return [];
    }),
  );
}

function readAfterLoginUrl(reader: EnvReader): string {
  const name = reader.optional('AFTER_LOGIN_URL') === undefined ? 'STATIC_DESTINATION_URL' : 'AFTER_LOGIN_URL';
  const value = reader.optional(name);
  if (value === undefined) return '';
  if (safeReturnPath(value) === undefined) reader.problem(name, `"${value}" is not a path of this site such as /_/`);
  return value;
}
