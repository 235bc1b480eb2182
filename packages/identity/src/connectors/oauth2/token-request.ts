/** Owns the token endpoint of upstreams (RFC 6749 §4.1.3, §5, §6). */
import type { OAuth2Grant, OAuth2Upstream } from './oauth2-connector.ts';
import { upstreamFailed } from './upstream-http.ts';
import { asObject, textOf } from './upstream-json.ts';

/** The upstream no longer honours what we hold; who it belonged to must log in again. */
export class GrantGone extends Error {}

type Caller = Pick<OAuth2Upstream, 'http' | 'clientID' | 'clientSecret' | 'authentication' | 'tokenParameters'>;

export async function exchangeToken(
  caller: Caller,
  url: string,
  parameters: Readonly<Record<string, string>>,
): Promise<OAuth2Grant> {
  const { headers, form } = authenticate(caller);
  const answer = await caller.http.send({ url, method: 'POST', headers, form: { ...parameters, ...form } });
  const body = asObject(answer.body);
  // Some upstreams answer errors with 200.
  const error = textOf(body, 'error');
  if (error === 'invalid_grant' || error === 'bad_refresh_token')
    throw new GrantGone('the upstream no longer honours the grant');
  if (answer.status !== 200 || error !== '') {
    throw upstreamFailed(url, `answered ${answer.status} ${error.replaceAll(/\W/g, '?')}`);
  }
  return readGrantAnswer(body, url);
}

function readGrantAnswer(body: Readonly<Record<string, unknown>>, url: string): OAuth2Grant {
  const accessToken = textOf(body, 'access_token');
  if (!isToken(accessToken)) throw upstreamFailed(url, 'answered without a usable access token');
  const type = textOf(body, 'token_type');
  // RFC 6749 §7.1: a token whose type is not understood must not be used. Upstreams that leave it out mean bearer.
  if (type !== '' && type.toLowerCase() !== 'bearer')
    throw upstreamFailed(url, 'answered with a token of an unknown type');
  const refreshToken = textOf(body, 'refresh_token');
  const idToken = textOf(body, 'id_token');
  return {
    accessToken,
    refreshToken: refreshToken === '' ? undefined : refreshToken,
    idToken: idToken === '' ? undefined : idToken,
  };
}

// It goes into a header: nothing that could end one.
function isToken(value: string): boolean {
  return value.length > 0 && value.length <= 16_384 && /^[\x21-\x7e]+$/.test(value);
}

interface ClientProof {
  readonly headers: Readonly<Record<string, string>>;
  readonly form: Readonly<Record<string, string>>;
}

/** RFC 6749 §2.3.1 (both parts of Basic are form-encoded first), RFC 7521 §4.2 for assertions. */
function authenticate({ clientID, clientSecret, authentication = 'form', tokenParameters }: Caller): ClientProof {
  const extra = tokenParameters?.() ?? {};
  const secret = clientSecret.reveal();
  if (authentication === 'form') {
    return {
      headers: {},
      form: { client_id: clientID, ...(secret === '' ? {} : { client_secret: secret }), ...extra },
    };
  }
  const pair = [clientID, secret].map((part) => new URLSearchParams({ '': part }).toString().slice(1)).join(':');
  return { headers: { authorization: `Basic ${Buffer.from(pair).toString('base64')}` }, form: extra };
}
