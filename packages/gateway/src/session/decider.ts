/** Owns the decision for one request under one set of keys and settings: the pass of `oidc`, and what an authorizer's yes may change. */
import type { Clock } from '@kfctl/core';
import { ASSERTION_HEADER, createIdentityHeaders, createPathMatcher, createSessionPass } from '@kfctl/oidc';
import type { CheckSettings, HeaderEdits, LiveSession, SessionMemory, SessionPass } from '@kfctl/oidc';
import type { ExternalAuthorizer } from '../istio/mesh-config.ts';
import { maySetUpstream } from '../policy/ext-authz.ts';
import type { CheckResult } from '../policy/ext-authz.ts';
import { matchesHeaderPattern } from '../policy/header-patterns.ts';
import type { RequestHead } from '../request/request-head.ts';
import type { SessionKeys } from './session-keys.ts';

export interface Decider {
  /** Undefined: ask. */
  decide(authorizer: ExternalAuthorizer, head: RequestHead): CheckResult | undefined;
}

export interface DeciderOptions {
  readonly settings: CheckSettings;
  readonly keys: SessionKeys;
  readonly memory: SessionMemory;
  readonly clock: Clock;
}

const CREDENTIALS = ['cookie', 'authorization', 'x-auth-token'];

/** Undefined where something that the settings ask for is missing here. */
export function createDecider({ settings, keys, memory, clock }: DeciderOptions): Decider | undefined {
  const { userIdHeader, groupsHeader, cookieName, copiesGroups, provesIdentity, allowedGroups, idleTimeoutMs } =
    settings;
  if (provesIdentity && keys.assertion.length === 0) return undefined;
  const assertionKeys = provesIdentity ? keys.assertion : [];
  const passOptions = {
    find: withUsesTold(memory, idleTimeoutMs, clock),
    rules: { cookieName, isExempt: createPathMatcher(settings.askAlways) },
    identityHeaders: createIdentityHeaders({ userIdHeader, groupsHeader, cookieName, assertionKeys }, clock),
    allowedGroups,
    now: () => clock.now(),
  };
  const passes = new WeakMap<ExternalAuthorizer, SessionPass<Allowed> | 'ask'>();
  const passFor = (authorizer: ExternalAuthorizer): SessionPass<Allowed> | 'ask' => {
    const pass = hearsAll(authorizer)
      ? createSessionPass(
          passOptions,
          (edits) => allowedBy(authorizer, copiesGroups ? edits : without(edits, groupsHeader)),
          maySetUpstream(authorizer, ASSERTION_HEADER) ? withProof : (allowed) => allowed,
        )
      : ('ask' as const);
    passes.set(authorizer, pass);
    return pass;
  };
  return {
    decide(authorizer, { method, path, fields }) {
      const pass = passes.get(authorizer) ?? passFor(authorizer);
      return pass === 'ask' ? undefined : pass({ method, path, headers: credentialsOf(fields) });
    },
  };
}

/** The AuthService ends sessions that it has not seen used for long: it is asked about each one that is in use well before that. */
function withUsesTold(
  memory: SessionMemory,
  idleTimeoutMs: number | undefined,
  clock: Clock,
): (token: string) => LiveSession | undefined {
  if (idleTimeoutMs === undefined) return memory.find;
  return (token) => {
    const session = memory.find(token);
    if (session === undefined) return undefined;
    const now = clock.now();
    if (now - session.storedUseAtMs < idleTimeoutMs / 4) return session;
    session.storedUseAtMs = now;
    return undefined;
  };
}

/** The authorizer is asked about the request itself, and hears of everything that can be a session. */
function hearsAll({ pathPrefix, checkHeaders, additionalCheckHeaders }: ExternalAuthorizer): boolean {
  if (pathPrefix !== '' || CREDENTIALS.some((name) => additionalCheckHeaders.has(name))) return false;
  return CREDENTIALS.every((name) => matchesHeaderPattern(checkHeaders, name));
}

type Allowed = Extract<CheckResult, { kind: 'allowed' }>;

/** A yes from here has no more power than one from the authorizer: the provider says which headers it may set. */
function allowedBy(authorizer: ExternalAuthorizer, { set, remove }: HeaderEdits): Allowed {
  const permitted = set.filter((_, index) => maySetUpstream(authorizer, set[index - (index % 2)] ?? ''));
  return { kind: 'allowed', set: permitted, remove, respond: [] };
}

/** What is the same for every request of a session is kept with it; the proof is of one request. */
function withProof({ kind, set, remove, respond }: Allowed, proof: string): Allowed {
  return { kind, set: [...set, ASSERTION_HEADER, proof], remove, respond };
}

function without({ set, remove }: HeaderEdits, name: string): HeaderEdits {
  return { set, remove: [...remove, name] };
}

type Credentials = Parameters<SessionPass<unknown>>[0]['headers'];

function credentialsOf(fields: readonly string[]): Credentials {
  let cookie: string | undefined;
  let authorization: string | undefined;
  let token: string | undefined;
  for (let index = 0; index < fields.length; index += 2) {
    const name = fields[index];
    if (name === 'cookie') cookie = fields[index + 1];
    else if (name === 'authorization') authorization = fields[index + 1];
    // Two of them are no session token, whatever the AuthService would make of them.
    else if (name === 'x-auth-token') token = token === undefined ? fields[index + 1] : '';
  }
  return { cookie, authorization, 'x-auth-token': token };
}
