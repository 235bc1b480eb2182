/** Owns the settings of the identity provider and of us as its client. */
import type { EnvReader } from '@kfctl/core';
import type { Config } from './config.ts';
import { readAuthorities } from './read-authorities.ts';

type ProviderSettings = Pick<
  Config,
  | 'issuer'
  | 'authorizationUrl'
  | 'endSessionUrl'
  | 'clientId'
  | 'clientSecret'
  | 'scopes'
  | 'authorities'
  | 'useUserinfo'
>;

export function readProviderSettings(reader: EnvReader): ProviderSettings {
  const issuer = reader.string('OIDC_PROVIDER');
  if (issuer !== '' && !isHttpUrl(issuer)) {
    reader.problem('OIDC_PROVIDER', `"${issuer}" is not an http:// or https:// address`);
  }
  const scopes = reader.list('OIDC_SCOPES', ['openid', 'profile', 'email', 'groups']);
  const caSetting = reader.optional('CA_BUNDLE') === undefined ? 'OIDC_PROVIDER_CA_FILE' : 'CA_BUNDLE';
  return {
    issuer,
    authorizationUrl: readBrowserUrl(reader, 'OIDC_AUTH_URL'),
    endSessionUrl: readBrowserUrl(reader, 'OIDC_LOGOUT_URL'),
    clientId: reader.string('CLIENT_ID'),
    clientSecret: reader.secret('CLIENT_SECRET'),
    scopes: scopes.includes('openid') ? scopes : ['openid', ...scopes],
    authorities: readAuthorities(reader, caSetting, reader.optional(caSetting)),
    useUserinfo: !reader.boolean('DISABLE_USERINFO', false),
  };
}

/** An address that browsers are sent to: absolute, or a path of the same origin. */
export function readBrowserUrl(reader: EnvReader, name: string): string | undefined {
  const value = reader.optional(name);
  if (value === undefined || isHttpUrl(value) || /^\/(?![/\\])[\x21-\x7e]*$/.test(value)) return value;
  reader.problem(name, `"${value}" is neither an http(s):// address nor a path such as /dex/auth`);
  return undefined;
}

export function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return (url?.protocol === 'https:' || url?.protocol === 'http:') && url.host !== '' && url.hash === '';
}
