/** Owns the parameters of authorization requests (RFC 6749 §4.1.1, OpenID Connect Core §3.1.2.1, RFC 7636 §4.3). */
import { readForm } from '@kfctl/http';
import type { HttpRequest } from '@kfctl/http';
import { pageError } from '../pages/error-page.ts';

export interface AuthorizeParameters {
  readonly clientId: string;
  readonly redirectUri: string;
  readonly responseType: string;
  readonly scope: string;
  readonly state: string;
  readonly nonce: string;
  readonly connectorId: string;
  readonly approvalPrompt: string;
  readonly codeChallenge: string;
  readonly codeChallengeMethod: string;
  readonly request: string;
  readonly requestUri: string;
  readonly prompt: string;
  readonly loginHint: string;
  readonly maxAge: string;
  readonly idTokenHint: string;
}

const NAMES: Readonly<Record<keyof AuthorizeParameters, string>> = {
  clientId: 'client_id',
  redirectUri: 'redirect_uri',
  responseType: 'response_type',
  scope: 'scope',
  state: 'state',
  nonce: 'nonce',
  connectorId: 'connector_id',
  approvalPrompt: 'approval_prompt',
  codeChallenge: 'code_challenge',
  codeChallengeMethod: 'code_challenge_method',
  request: 'request',
  requestUri: 'request_uri',
  prompt: 'prompt',
  loginHint: 'login_hint',
  maxAge: 'max_age',
  idTokenHint: 'id_token_hint',
};

const MAX_PARAMETER_CHARACTERS = 4096;

/** What came with the request: the query, or the form of a POST. */
export async function collectParameters(request: HttpRequest): Promise<URLSearchParams> {
  if (request.method === 'GET' || request.method === 'HEAD') return request.query;
  if (request.method !== 'POST') throw pageError(400, 'Unsupported request method.');
  const all = new URLSearchParams(request.query);
  for (const [name, value] of await readForm(request)) all.append(name, value);
  return all;
}

/** The known parameters; unknown ones are ignored (RFC 6749 §3.1), repeated ones refused (same section). */
export function readParameters(raw: URLSearchParams): AuthorizeParameters {
  const read = (name: string): string => {
    const values = raw.getAll(name);
    if (values.length > 1) throw pageError(400, `Parameter ${name} must not be given more than once.`);
    const [value = ''] = values;
    if (value.length > MAX_PARAMETER_CHARACTERS) throw pageError(400, `Parameter ${name} is too long.`);
    return value;
  };
  return Object.fromEntries(
    Object.entries(NAMES).map(([key, name]) => [key, read(name)]),
  ) as unknown as AuthorizeParameters;
}

/** The same request with its parameters sorted by name, for the next step's address. */
export function encodeParameters(raw: URLSearchParams): string {
  const sorted = new URLSearchParams(raw);
  sorted.sort();
  return sorted.toString();
}
