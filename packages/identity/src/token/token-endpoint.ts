/**
 * Owns `/token`. Each grant is one row of the table; the steps before it are the same for all:
 *
 *   method and form ──► grant known and enabled ──► client authenticated ──► grant ──► tokens | refusal
 */
import { readForm } from '@kfctl/http';
import type { HttpHandler, HttpRequest, HttpResponse } from '@kfctl/http';
import { authenticateClient } from '../clients/authenticate-client.ts';
import type { Client } from '../clients/find-client.ts';
import type { GrantType } from '../config/config.ts';
import type { ProviderDeps } from '../provider.ts';
import { DEVICE_GRANT, EXCHANGE_GRANT } from '../config/oauth2-section.ts';
import { pollDeviceCode } from '../device/device-code-grant.ts';
import { redeemCode } from './authorization-code-grant.ts';
import { redeemClientCredentials } from './client-credentials-grant.ts';
import { redeemPassword } from './password-grant.ts';
import { redeemRefreshToken } from './refresh-token-grant.ts';
import { answerRefusal, refuse, TokenRefusal } from './token-error.ts';
import { exchangeToken } from './token-exchange-grant.ts';
import { renderTokens } from './token-response.ts';
import type { TokenResponse } from './token-response.ts';

type Grant = (deps: ProviderDeps, client: Client, form: URLSearchParams) => Promise<TokenResponse | TokenRefusal>;

const GRANTS: Readonly<Partial<Record<GrantType, Grant>>> = {
  authorization_code: redeemCode,
  refresh_token: redeemRefreshToken,
  password: redeemPassword,
  client_credentials: redeemClientCredentials,
  [EXCHANGE_GRANT]: exchangeToken,
};

export function createTokenEndpoint(deps: ProviderDeps): HttpHandler {
  return async (request) => {
    const form = await readTokenForm(request);
    if (form instanceof TokenRefusal) return answerRefusal(deps.log, { request, refusal: form });
    const type = form.get('grant_type') ?? '';
    if (type === DEVICE_GRANT && deps.config.oauth2.grantTypes.has(type)) {
      return answerGrant(deps, { request, type }, await pollDeviceCode(deps, form));
    }
    const grant = findGrant(deps, type);
    if (grant === undefined) {
      const refusal = refuse('unsupported_grant_type', '');
      return answerRefusal(deps.log, { request, refusal, about: { grant: type } });
    }
    const client = await authenticateClient(request, form, deps.findClient);
    if (client instanceof TokenRefusal) return answerGrant(deps, { request, type }, client);
    return answerGrant(deps, { request, type, client: client.id }, await grant(deps, client, form));
  };
}

/** `/device/token`: where devices of old poll; Dex keeps it for the device grant alone. */
export function createDeviceTokenEndpoint(deps: ProviderDeps): HttpHandler {
  return async (request) => {
    const form = await readTokenForm(request);
    if (form instanceof TokenRefusal) return answerRefusal(deps.log, { request, refusal: form });
    if (form.get('grant_type') !== DEVICE_GRANT || !deps.config.oauth2.grantTypes.has(DEVICE_GRANT))
      return answerRefusal(deps.log, { request, refusal: refuse('invalid_grant', '') });
    return answerGrant(deps, { request, type: DEVICE_GRANT }, await pollDeviceCode(deps, form));
  };
}

interface Attempt {
  readonly request: HttpRequest;
  readonly type: string;
  readonly client?: string;
}

function answerGrant(
  deps: ProviderDeps,
  { request, client, type }: Attempt,
  answer: TokenResponse | TokenRefusal,
): HttpResponse {
  if (answer instanceof TokenRefusal) {
    return answerRefusal(deps.log, { request, refusal: answer, about: { client, grant: type } });
  }
  deps.log.info('tokens issued', { id: request.id, client, grant: type });
  return renderTokens(answer);
}

/** RFC 6749 §3.2: POST, parameters in the body, none twice. */
export async function readTokenForm(request: HttpRequest): Promise<URLSearchParams | TokenRefusal> {
  if (request.method !== 'POST') return refuse('invalid_request', 'method not allowed');
  const type = (request.headers['content-type'] ?? '').split(';')[0]?.trim().toLowerCase();
  if (type !== undefined && type !== '' && type !== 'application/x-www-form-urlencoded') {
    return refuse('invalid_request', 'Content-Type must be application/x-www-form-urlencoded.');
  }
  const form = await readForm(request);
  const isRepeated = new Set(form.keys()).size < form.size;
  return isRepeated ? refuse('invalid_request', 'Parameters must not be given more than once.') : form;
}

function findGrant({ config }: ProviderDeps, type: string): Grant | undefined {
  if (!Object.hasOwn(GRANTS, type)) return undefined;
  if (type === 'password' && config.oauth2.passwordConnector === '') return undefined;
  return config.oauth2.grantTypes.has(type as GrantType) ? GRANTS[type as GrantType] : undefined;
}
