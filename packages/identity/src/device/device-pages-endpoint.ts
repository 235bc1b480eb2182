/**
 * Owns the browser's side of the device flow (RFC 8628 §3.3).
 *
 *   /device ──(user code)──► POST /device/auth/verify_code ──► /auth?… (an ordinary login) ──► /device/callback?code&state
 */
import { readForm } from '@kfctl/http';
import type { HttpHandler, HttpResponse } from '@kfctl/http';
import { codeId } from '../authorize/complete.ts';
import { DEVICE_CALLBACK } from '../authorize/redirect-uri.ts';
import { redirectTo } from '../authorize/respond.ts';
import { logRefusal } from '../log-refusal.ts';
import { clientAddress } from '../login/client-address.ts';
import { requireSameSite } from '../login/same-site.ts';
import { deviceDonePage, devicePage } from '../pages/device-pages.ts';
import { pageError } from '../pages/error-page.ts';
import type { ProviderDeps } from '../provider.ts';
import type { AuthCode, DeviceRequest } from '../storage/records.ts';
import { issueForCode } from '../token/authorization-code-grant.ts';
import { readUserCode } from './device-codes.ts';

export function createDevicePageEndpoint({ config, render }: ProviderDeps): HttpHandler {
  return (request) => {
    const userCode = readUserCode(request.query.get('user_code') ?? '') ?? '';
    const action = `${config.basePath}/device/auth/verify_code`;
    return render(devicePage({ status: 200, action, userCode }), request.path);
  };
}

export function createVerifyCodeEndpoint(deps: ProviderDeps): HttpHandler {
  const { config, render, clock, throttle } = deps;
  return async (request) => {
    requireSameSite(request);
    const typed = (await readForm(request)).get('user_code') ?? '';
    const from = clientAddress(request, config.web.clientRemoteIP) ?? request.remoteAddress;
    const attempt = { connectorId: 'device', username: from, address: undefined };
    if (throttle.waitSeconds(attempt) > 0)
      throw pageError(429, 'Too many attempts. Please wait a minute and try again.');
    const userCode = readUserCode(typed);
    const asked = userCode === undefined ? undefined : await deps.storage.get('deviceRequest', userCode);
    if (asked === undefined || asked.expiresAt <= clock.now()) {
      throttle.failed(attempt);
      logRefusal(deps.log, request, { status: 400, reason: 'invalid or expired user code' });
      const action = `${config.basePath}/device/auth/verify_code`;
      return render(
        devicePage({ status: 400, action, userCode: typed.slice(0, 20), error: 'Invalid or Expired User Code' }),
        request.path,
      );
    }
    // The client's secret is not part of this address: it would end up in logs and histories.
    const query = new URLSearchParams({
      client_id: asked.clientId,
      redirect_uri: `${config.basePath}${DEVICE_CALLBACK}`,
      response_type: 'code',
      scope: asked.scopes.join(' '),
      state: asked.userCode,
    });
    return redirectTo(`${config.basePath}/auth?${query.toString()}`, 302);
  };
}

export function createDeviceCallbackEndpoint(deps: ProviderDeps): HttpHandler {
  return async ({ query }) => {
    const userCode = readUserCode(query.get('state') ?? '');
    if (query.get('error') !== null)
      throw pageError(400, 'The login was refused.', { message: query.get('error') ?? '' });
    const presented = query.get('code') ?? '';
    if (presented === '' || userCode === undefined) throw pageError(400, 'User session error.');
    const asked = await deps.storage.get('deviceRequest', userCode);
    if (asked === undefined || asked.expiresAt <= deps.clock.now())
      throw pageError(400, 'Invalid or expired user code.');
    const code = await deps.storage.take('authCode', codeId(presented));
    if (code === undefined || !isForDevice(code, asked, deps)) throw pageError(400, 'Invalid or expired auth code.');
    return await complete(deps, { asked, code, presented });
  };
}

// A code of another client, or made for another place, must not become this device's tokens.
function isForDevice(code: AuthCode, asked: DeviceRequest, { config, clock }: ProviderDeps): boolean {
  const redirect = `${config.basePath}${DEVICE_CALLBACK}`;
  return code.clientId === asked.clientId && code.redirectUri === redirect && code.expiresAt > clock.now();
}

interface Completion {
  readonly asked: DeviceRequest;
  readonly code: AuthCode;
  readonly presented: string;
}

async function complete(deps: ProviderDeps, { asked, code, presented }: Completion): Promise<HttpResponse> {
  const client = await deps.findClient(asked.clientId);
  // One person answers one device: taking the request keeps a second one out.
  const taken = client === undefined ? undefined : await deps.storage.take('deviceRequest', asked.userCode);
  if (client === undefined || taken === undefined) throw pageError(400, 'Invalid or expired user code.');
  const tokens = await issueForCode(deps, client, { code, presented });
  await deps.storage.update('deviceToken', asked.deviceCode, (pending) =>
    pending.status === 'pending' ? { ...pending, status: 'complete', token: JSON.stringify(tokens) } : undefined,
  );
  return deps.render(deviceDonePage(client.name), `${deps.config.basePath}${DEVICE_CALLBACK}`);
}
