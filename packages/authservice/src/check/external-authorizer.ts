/**
 * Owns the question to an authorizer of the operator's, for each request of somebody: POST of { timestamp, user, request } as JSON.
 * 2xx lets pass, 401 and 403 refuse (the body says why), everything else is trouble, and trouble is no.
 */
import type { Clock } from '@kfctl/core';
import type { Caller } from '@kfctl/oidc';
import { sessionsUnavailable } from '../errors.ts';
import type { ProviderHttp } from '../provider/provider-http.ts';
import type { JudgedRequest } from './authenticate.ts';

export interface Refusal {
  /** For the person; shown as text. */
  readonly reason: string;
}

export interface ExternalAuthorizerDeps {
  readonly url: string;
  readonly http: Pick<ProviderHttp, 'send'>;
  readonly clock: Clock;
}

const MAX_REASON_CHARACTERS = 500;

export function createExternalAuthorizer({
  url,
  http,
  clock,
}: ExternalAuthorizerDeps): (caller: Caller, request: JudgedRequest) => Promise<Refusal | undefined> {
  return async (caller, { method, path, headers }) => {
    const { hostname: host = '', port = '' } = URL.parse(`https://${headers.host ?? ''}`) ?? {};
    const body = {
      timestamp: new Date(clock.now()).toISOString(),
      user: { name: caller.userId, id: caller.userId, groups: caller.groups },
      request: { host, port: port === '' ? 443 : Number(port), path, method },
    };
    const question = {
      method: 'POST',
      url,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    } as const;
    const response = await http.send(question).catch((cause: unknown) => {
      throw sessionsUnavailable('the external authorizer did not answer', cause);
    });
    if (response.status >= 200 && response.status < 300) return undefined;
    if (response.status !== 401 && response.status !== 403) {
      throw sessionsUnavailable(`the external authorizer answered ${response.status}`);
    }
    return { reason: response.text.trim().slice(0, MAX_REASON_CHARACTERS) || 'You may not do this.' };
  };
}
