/** Owns the calls to the AuthService's account API and the shapes of its answers. */
import { call } from './client.ts';

export interface Session {
  readonly id: string;
  readonly user: string;
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly expiresAt: string;
  readonly userAgent: string;
  /** The one of this very browser. */
  readonly current: boolean;
}

export interface ApiToken {
  readonly id: string;
  readonly user: string;
  readonly name: string;
  readonly readOnly: boolean;
  /** Path prefixes that it is good for; empty: every path. */
  readonly paths: readonly string[];
  readonly createdAt: string;
  readonly lastUsedAt: string;
  readonly expiresAt: string;
}

export interface NewApiToken {
  readonly name: string;
  readonly readOnly: boolean;
  readonly paths: readonly string[];
  readonly expiresInDays: number;
}

const BASE = '/authservice/api';

export const account = {
  sessions: (): Promise<{ readonly sessions: readonly Session[] }> => call('GET', `${BASE}/sessions`),
  everybodysSessions: (): Promise<{ readonly sessions: readonly Session[] }> => call('GET', `${BASE}/sessions?user=*`),
  endSession: (id: string): Promise<unknown> => call('DELETE', `${BASE}/sessions/${id}`),
  endOtherSessions: (): Promise<unknown> => call('DELETE', `${BASE}/sessions`),
  tokens: (): Promise<{ readonly tokens: readonly ApiToken[] }> => call('GET', `${BASE}/tokens`),
  makeToken: (token: NewApiToken): Promise<{ readonly token: string }> => call('POST', `${BASE}/tokens`, token),
  endToken: (id: string): Promise<unknown> => call('DELETE', `${BASE}/tokens/${id}`),
};
