/** Owns the settings that all connectors of the redirecting kind have, and the reading of certificate authorities. */
import { readFileSync } from 'node:fs';
import type { Secret } from '@kfctl/core';
import { boolean, listOf, refine, secret, string } from '../../config/shape.ts';
import type { Shape } from '../../config/shape.ts';

export interface OAuth2Settings {
  readonly clientID: string;
  readonly clientSecret: Secret;
  readonly redirectURI: string;
}

export const oauth2Fields: { readonly [K in keyof OAuth2Settings]: Shape<OAuth2Settings[K]> } = {
  clientID: string('The client id we have there.', { required: true }),
  clientSecret: secret('The client secret we have there.', { required: true }),
  redirectURI: string('Our own callback as registered there: <issuer>/callback.', { required: true }),
};

export function text(summary: string, fallback?: string): Shape<string> {
  return string(summary, fallback === undefined ? {} : { fallback });
}

export function texts(summary: string, fallback: readonly string[] = []): Shape<readonly string[]> {
  return listOf(summary, string('A value.'), fallback);
}

export const flag: (summary: string) => Shape<boolean> = (summary) => boolean(summary);

/** Complains about settings that must be addresses with http: or https: and are not. */
export function withUrls<T extends object>(shape: Shape<T>, ...keys: readonly (keyof T & string)[]): Shape<T> {
  return refine(shape, (value, complain) => {
    for (const key of keys) {
      const url = value[key];
      if (typeof url === 'string' && url !== '' && !isWebAddress(url))
        complain(key, 'is not a URL', 'Write it with https://.');
    }
  });
}

function isWebAddress(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}

export function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}

/** PEM text, base64 of it, or the name of a file with it. */
export function readAuthority(value: string): string {
  if (value.includes('-----BEGIN')) return value;
  const decoded = Buffer.from(value, 'base64').toString('utf8');
  return decoded.includes('-----BEGIN') ? decoded : readFileSync(value, 'utf8');
}
