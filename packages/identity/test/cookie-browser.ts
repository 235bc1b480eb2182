/** Owns a browser without pages for tests of sessions: cookies by name, and what a person does at the login page. */
import assert from 'node:assert/strict';
import { authUrl, locationOf } from './test-identity.ts';
import type { TestIdentity } from './test-identity.ts';

/** A browser: keeps cookies by name, sends those it has. */
export class CookieBrowser {
  readonly cookies: Map<string, string> = new Map();
  readonly attributes: Map<string, string> = new Map();
  readonly headers: Record<string, string> = {};
  readonly at: TestIdentity;

  constructor(at: TestIdentity) {
    this.at = at;
  }

  async open(target: string, init: RequestInit = {}): Promise<Response> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = {
      ...this.headers,
      ...(cookie === '' ? {} : { cookie }),
      ...(init.headers as Record<string, string>),
    };
    const response = await this.at.fetch(target, { ...init, headers });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = '', attributes = ''] = /^([^=]+)=([^;]*);?\s*(.*)$/.exec(line) ?? [];
      if (attributes.includes('Max-Age=0')) this.cookies.delete(name);
      else this.cookies.set(name, value);
      this.attributes.set(name, attributes);
    }
    return response;
  }

  async logIn(
    changes: Record<string, string | undefined> = {},
    remember = true,
    login = 'admin@kubeflow.org',
  ): Promise<Response> {
    const form = locationOf(await this.open(authUrl(changes)));
    assert.match(form.pathname, /login$/);
    const fields = { login, password: 'password', ...(remember ? { remember: 'true' } : {}) };
    return await this.open(form.pathname + form.search, { method: 'POST', body: new URLSearchParams(fields) });
  }

  /** Whether the request is answered with a code and nobody typing. */
  async isKnown(changes: Record<string, string | undefined> = {}): Promise<boolean> {
    return locationOf(await this.open(authUrl(changes))).searchParams.has('code');
  }

  get session(): string {
    return this.cookies.get('dex_session') ?? '';
  }
}
