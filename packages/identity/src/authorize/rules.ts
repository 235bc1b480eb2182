/**
 * Owns the rules an authorization request must keep once client and redirect URI are known to be good: from here on a
 * broken rule is told to the client, by redirect (RFC 6749 §4.1.2.1). One rule, one function; the table is the order.
 */
import { isCodeChallenge } from '@kfctl/oidc';
import type { Client, FindClient } from '../clients/find-client.ts';
import { acceptsConnector } from '../connectors/allowed.ts';
import type { OAuth2Config } from '../config/config.ts';
import type { AuthorizeParameters } from './parameters.ts';
import { OUT_OF_BAND } from './redirect-uri.ts';
import { judgeScopes, splitScopes } from './scopes.ts';

export interface AuthorizeDraft {
  readonly parameters: AuthorizeParameters;
  readonly client: Client;
  readonly connectorId: string;
  /** Whether the connector may be used for what the request will become. */
  readonly servesGrant: boolean;
  readonly oauth2: OAuth2Config;
  readonly findClient: FindClient;
}

export interface ProtocolProblem {
  /** An error code of RFC 6749 §4.1.2.1 or OpenID Connect Core §3.1.2.6. */
  readonly error: string;
  readonly description: string;
}

type Verdict = ProtocolProblem | undefined;
type Rule = (draft: AuthorizeDraft) => Verdict | Promise<Verdict>;

export const AUTHORIZATION_RULES: readonly Rule[] = [
  rejectForeignConnector,
  requireServedGrant,
  rejectRequestObject,
  requirePlainPrompt,
  requireKnownPkceMethod,
  requireWellFormedChallenge,
  requireChallengeWhereEnforced,
  requireOpenidScope,
  requirePermittedScopes,
  requireKnownResponseType,
  requireEnabledResponseType,
  rejectTokenAlone,
  requireNonceWithoutCode,
  rejectImplicitOutOfBand,
];

/** The first broken rule, or undefined. */
export async function findBrokenRule(draft: AuthorizeDraft): Promise<Verdict> {
  for (const rule of AUTHORIZATION_RULES) {
    const verdict = await rule(draft);
    if (verdict !== undefined) return verdict;
  }
  return undefined;
}

/** A client may be tied to some connectors: every way in obeys (Dex advisory GHSA-7qjx-gp9h-65qj). */
function rejectForeignConnector({ client, connectorId, parameters }: AuthorizeDraft): Verdict {
  const named = parameters.connectorId;
  if (named !== '' && named !== connectorId) return problem('invalid_request', 'Invalid ConnectorID');
  if (acceptsConnector(client, connectorId)) return undefined;
  return problem('access_denied', 'This client does not accept this way to log in');
}

/** `connectors[].grantTypes`. */
function requireServedGrant({ servesGrant }: AuthorizeDraft): Verdict {
  return servesGrant ? undefined : problem('unauthorized_client', 'This way to log in does not serve this grant');
}

/** OpenID Connect Core §6.1, §6.2: request objects are optional, and not supported here. */
function rejectRequestObject({ parameters }: AuthorizeDraft): Verdict {
  if (parameters.request !== '') return problem('request_not_supported', 'Server does not support request parameter.');
  if (parameters.requestUri !== '') {
    return problem('request_uri_not_supported', 'Server does not support request_uri parameter.');
  }
  return undefined;
}

/** OpenID Connect Core §3.1.2.1: `none` stands alone; `max_age` is a number of seconds. */
function requirePlainPrompt({ parameters }: AuthorizeDraft): Verdict {
  const words = splitScopes(parameters.prompt);
  if (words.length > 1 && words.includes('none')) return problem('invalid_request', 'prompt=none must stand alone.');
  if (/^\d{0,9}$/.test(parameters.maxAge)) return undefined;
  return problem('invalid_request', 'max_age must be a number of seconds.');
}

/** RFC 7636 §4.4.1: the method must be supported; none means plain (§4.3). */
function requireKnownPkceMethod({ parameters, oauth2 }: AuthorizeDraft): Verdict {
  const { codeChallenge, codeChallengeMethod } = parameters;
  if (codeChallenge === '' && codeChallengeMethod === '') return undefined;
  const method = codeChallengeMethod === '' ? 'plain' : codeChallengeMethod;
  if (oauth2.pkce.codeChallengeMethodsSupported.includes(method)) return undefined;
  return problem('invalid_request', `Unsupported PKCE challenge method ("${method}").`);
}

/** RFC 7636 §4.2: 43 to 128 unreserved characters. */
function requireWellFormedChallenge({ parameters }: AuthorizeDraft): Verdict {
  const { codeChallenge } = parameters;
  if (codeChallenge === '' || isCodeChallenge(codeChallenge)) return undefined;
  return problem('invalid_request', 'Malformed code_challenge.');
}

/** RFC 9700 §2.1.1, where the configuration asks for it. */
function requireChallengeWhereEnforced({ parameters, oauth2 }: AuthorizeDraft): Verdict {
  if (!oauth2.pkce.enforce || parameters.codeChallenge !== '') return undefined;
  return problem('invalid_request', 'PKCE is required: code_challenge is missing.');
}

/** OpenID Connect Core §3.1.2.1. */
function requireOpenidScope({ parameters }: AuthorizeDraft): Verdict {
  if (splitScopes(parameters.scope).includes('openid')) return undefined;
  return problem('invalid_scope', 'Missing required scope(s) ["openid"].');
}

/** RFC 6749 §3.3; audiences need the trust of the client they name. */
async function requirePermittedScopes({ parameters, client, findClient }: AuthorizeDraft): Promise<Verdict> {
  const judgement = await judgeScopes(splitScopes(parameters.scope), client, findClient);
  if (judgement.kind === 'ok') return undefined;
  const words = judgement.kind === 'unknown' ? 'Unrecognized scope(s)' : "Client can't request scope(s)";
  return problem('invalid_scope', `${words} ${JSON.stringify(judgement.scopes)}`);
}

/** RFC 6749 §3.1.1. */
function requireKnownResponseType({ parameters }: AuthorizeDraft): Verdict {
  const words = splitScopes(parameters.responseType);
  if (words.length === 0) return problem('invalid_request', 'No response_type provided');
  const strange = words.find((word) => !['code', 'token', 'id_token'].includes(word));
  return strange === undefined ? undefined : problem('invalid_request', `Invalid response type "${strange}"`);
}

function requireEnabledResponseType({ parameters, oauth2 }: AuthorizeDraft): Verdict {
  const off = splitScopes(parameters.responseType).find((word) => !oauth2.responseTypes.has(word));
  return off === undefined ? undefined : problem('unsupported_response_type', `Unsupported response type "${off}"`);
}

/** OpenID Connect Core §3: `token` alone is plain OAuth, which says nothing about who somebody is. */
function rejectTokenAlone({ parameters }: AuthorizeDraft): Verdict {
  const words = splitScopes(parameters.responseType);
  if (words.length !== 1 || words[0] !== 'token') return undefined;
  return problem('invalid_request', "Response type 'token' must be provided with type 'id_token' and/or 'code'");
}

/** OpenID Connect Core §3.2.2.1: an ID token from the front channel must be bound to the request. */
function requireNonceWithoutCode({ parameters }: AuthorizeDraft): Verdict {
  if (splitScopes(parameters.responseType).includes('code') || parameters.nonce !== '') return undefined;
  return problem('invalid_request', "Response type 'id_token' requires a 'nonce' value.");
}

function rejectImplicitOutOfBand({ parameters }: AuthorizeDraft): Verdict {
  const onlyCode = splitScopes(parameters.responseType).every((word) => word === 'code');
  if (onlyCode || parameters.redirectUri !== OUT_OF_BAND) return undefined;
  return problem('invalid_request', 'Cannot use response types other than code with urn:ietf:wg:oauth:2.0:oob');
}

function problem(error: string, description: string): ProtocolProblem {
  return { error, description };
}
