/**
 * Owns whether a session may answer an authorization request without anybody typing (OpenID Connect Core §3.1.2.1). One rule, one
 * function, in order; the first reason against it wins and goes to the log.
 */
import { encodeSubject } from '@kfctl/oidc';
import type { AuthorizeParameters } from '../authorize/parameters.ts';
import { connectorScopes, splitScopes } from '../authorize/scopes.ts';
import type { Client, FindClient } from '../clients/find-client.ts';
import type { IdentityConfig, SessionsConfig } from '../config/config.ts';
import type { KeyRing } from '../keys/key-ring.ts';
import type { LoginSession } from '../storage/records.ts';
import { verifyHint } from '../token/verify-own-token.ts';

export interface ReuseQuestion {
  readonly session: LoginSession;
  readonly parameters: AuthorizeParameters;
  readonly client: Client;
  readonly connectorId: string;
  readonly nowMs: number;
  readonly settings: SessionsConfig;
  readonly config: Pick<IdentityConfig, 'issuer'>;
  readonly keys: KeyRing;
  readonly findClient: FindClient;
}

type Reason = string | undefined;

const REUSE_RULES: readonly ((question: ReuseQuestion) => Reason | Promise<Reason>)[] = [
  rejectWantedLogin,
  requireSameConnector,
  requireYoungEnough,
  requireHintedPerson,
  requireAskedScopes,
  requireSharing,
];

export async function findReasonAgainstReuse(question: ReuseQuestion): Promise<Reason> {
  for (const rule of REUSE_RULES) {
    const reason = await rule(question);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

/** `prompt=login` and `prompt=select_account`: the person must act. */
export function wantsLogin({ prompt }: Pick<AuthorizeParameters, 'prompt'>): boolean {
  return splitScopes(prompt).some((word) => word === 'login' || word === 'select_account');
}

function rejectWantedLogin({ parameters }: ReuseQuestion): Reason {
  return wantsLogin(parameters) ? 'the client asked for a login' : undefined;
}

function requireSameConnector({ session, connectorId }: ReuseQuestion): Reason {
  return session.connectorId === connectorId ? undefined : 'the session is of another connector';
}

/** `max_age`: seconds since the person last proved who they are. */
function requireYoungEnough({ session, parameters, nowMs }: ReuseQuestion): Reason {
  if (parameters.maxAge === '') return undefined;
  const ageSeconds = (nowMs - session.authTimeMs) / 1000;
  return ageSeconds < Number(parameters.maxAge) ? undefined : 'the login is older than max_age';
}

/** `id_token_hint`: whom the client means; an expired hint will do. */
function requireHintedPerson({ session, parameters, ...deps }: ReuseQuestion): Reason {
  if (parameters.idTokenHint === '') return undefined;
  const verdict = verifyHint(deps, parameters.idTokenHint);
  if (verdict.kind === 'invalid') return 'id_token_hint is not a token of ours';
  const subject = encodeSubject({ userId: session.claims.userId, connectorId: session.connectorId });
  return verdict.claims['sub'] === subject ? undefined : 'id_token_hint names another person';
}

/** Groups and offline access are known only where the connector was asked for them. */
function requireAskedScopes({ session, parameters }: ReuseQuestion): Reason {
  const { groups, offlineAccess } = connectorScopes(splitScopes(parameters.scope));
  return (groups && !session.groups) || (offlineAccess && !session.offline)
    ? 'the login did not ask for these scopes'
    : undefined;
}

/** A session is for the client it began at, and for those that one shares with (`ssoSharedWith`). */
async function requireSharing({ session, client, settings, findClient }: ReuseQuestion): Promise<Reason> {
  if (session.clients.includes(client.id)) return undefined;
  for (const id of session.clients) {
    const shared = (await findClient(id))?.ssoSharedWith ?? (settings.ssoSharedWithDefault === 'all' ? ['*'] : []);
    if (shared.includes('*') || shared.includes(client.id)) return undefined;
  }
  return 'the session is not shared with this client';
}
