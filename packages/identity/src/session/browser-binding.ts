/** Owns the tie between a login and the browser that it began in, and the tokens that browsers hold. */
import { constantTimeEqual, randomToken } from '@kfctl/core';
import type { RandomBytes } from '@kfctl/core';
import type { HttpRequest } from '@kfctl/http';
import type { IdentityConfig, SessionsConfig } from '../config/config.ts';
import { isSecure, readCookie, renderCookie } from './session-cookie.ts';

// Not `import`: that loads Web Cryptography too, 5 MB for nothing.
const { createHash } = process.getBuiltinModule('node:crypto');

export interface BindingDeps {
  readonly settings: SessionsConfig;
  readonly config: Pick<IdentityConfig, 'issuer' | 'basePath' | 'expiry'>;
  readonly random: RandomBytes;
}

export interface BrowserBinding {
  /** Travels in the pending request. */
  readonly browser: string;
  readonly cookies: readonly string[];
}

/** Whether it has the form of a token of ours: 32 bytes in base64url. */
export function isToken(text: string): boolean {
  return /^[\w-]{43}$/.test(text);
}

export function hashToken(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/**
 * The pending request travels through the browser's address bar, so whoever knows it could finish their own login in somebody
 * else's browser. That gives them nothing at the client, which checks its state; but a session would stay behind.
 */
export function bindBrowser({ settings, config, random }: BindingDeps, request: HttpRequest): BrowserBinding {
  const name = bindingName(settings);
  const known = readCookie(request, name);
  const value = known !== undefined && isToken(known) ? known : randomToken(32, random);
  const secure = isSecure(request, config.issuer);
  const maxAgeSeconds = Math.floor(config.expiry.authRequests / 1000);
  // An identity provider's form comes from another site: only SameSite=None travels with it, and only over https.
  const fresh = renderCookie(name, value, {
    path: config.basePath,
    secure,
    maxAgeSeconds,
    sameSite: secure ? 'None' : 'Lax',
  });
  return { browser: hashToken(value), cookies: [fresh] };
}

export function isSameBrowser(
  { settings }: Pick<BindingDeps, 'settings'>,
  request: HttpRequest,
  browser: string | undefined,
): boolean {
  const value = readCookie(request, bindingName(settings));
  return browser !== undefined && value !== undefined && constantTimeEqual(hashToken(value), browser);
}

function bindingName({ cookieName }: SessionsConfig): string {
  return `${cookieName}_login`;
}
