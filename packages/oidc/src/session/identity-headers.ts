/** Owns what happens to the headers of a request that may pass: who it is, and which of the client's headers must not get through. */
import type { Clock, Secret } from '@kfctl/core';
import { ASSERTION_HEADER, createAssertions } from '../assertion/identity-assertion.ts';
import type { Assertions } from '../assertion/identity-assertion.ts';
import { withoutCookies } from '../cookie/read-cookies.ts';
import { isFlowCookie } from '../state/login-flow.ts';
import type { Credentials } from './check-session.ts';
import { RecentMap } from './recent-map.ts';
import { METHOD_OVERRIDES } from './token-limits.ts';

/** Somebody, as upstreams are told. */
export interface Caller {
  readonly userId: string;
  readonly groups: readonly string[];
  /** Of a request that is made with one. */
  readonly apiToken?: { readonly readOnly: boolean } | undefined;
}

export interface IdentityHeaderOptions {
  /** Lower case. */
  readonly userIdHeader: string;
  readonly groupsHeader: string;
  readonly cookieName: string;
  /** The first proves to backends that the identity is ours; empty: no proof is given. */
  readonly assertionKeys: readonly Secret[];
  /** Tells upstreams whether a cookie or a header made somebody known. */
  readonly authMethodHeader?: string | undefined;
  /** Headers that may carry a token of ours, besides Authorization and X-Auth-Token. */
  readonly tokenHeaders?: readonly string[];
  /** Headers of older AuthServices that say something of who somebody is; they are never set, so a client's must not pass. */
  readonly removedHeaders?: readonly string[];
}

/** The request as it is forwarded. */
export interface PassingRequest {
  readonly method: string;
  /** Without the query. */
  readonly path: string;
  readonly headers: Credentials;
}

/** What is done to the request that is forwarded; no name is in both lists. */
export interface HeaderEdits {
  /** Name, value, name, value … in place of whatever the client sent under these names; values one byte a character. */
  readonly set: readonly string[];
  readonly remove: readonly string[];
}

export interface IdentityHeaders {
  /** For a request that passes as somebody. */
  forCaller(caller: Caller, request: PassingRequest, via: 'cookie' | 'header'): HeaderEdits;
  /** The same without the proof, which is of one request: this depends on the caller and the headers alone. */
  withoutProof(caller: Caller, headers: Credentials, via: 'cookie' | 'header'): ProvableEdits;
  /** Whether proofs are given: then what is told of a caller differs from request to request. */
  readonly isPerRequest: boolean;
  /** For a request that passes as nobody: no identity of the client's making may pass with it. */
  readonly forNobody: HeaderEdits;
}

/** Gives the value of ASSERTION_HEADER for each request of a caller. */
export type Prover = (request: Pick<PassingRequest, 'method' | 'path'>) => string;

/** A longer rest would not fit in an answer that every gateway takes; it is dropped with the session rather than passed on with it. */
const MAX_COOKIE_CHARACTERS = 10_000;
/** Callers whose headers are kept ready. */
const MAX_KNOWN = 1_024;

export interface ProvableEdits extends HeaderEdits {
  /** Undefined where no proofs are given. */
  readonly prove: Prover | undefined;
}

/**
 * The session cookie never reaches upstreams: a notebook is code of its owner, and whoever is lured to it would hand its owner
 * the whole session. The same goes for the token in a header.
 */
export function createIdentityHeaders(options: IdentityHeaderOptions, clock: Clock): IdentityHeaders {
  const { userIdHeader, groupsHeader, cookieName, assertionKeys, authMethodHeader, removedHeaders = [] } = options;
  const credentials = ['authorization', 'x-auth-token', ...(options.tokenHeaders ?? [])];
  const assertions = assertionKeys.length === 0 ? undefined : createAssertions(assertionKeys);
  const isOwn = (name: string): boolean => name === cookieName || isFlowCookie(name);
  const optional = authMethodHeader === undefined ? removedHeaders : [authMethodHeader, ...removedHeaders];
  const names = [userIdHeader, groupsHeader, ASSERTION_HEADER, ...optional];
  // Servers that speak CGI's dialect read `_` as `-`.
  const aliases = names.map((name) => name.replaceAll('-', '_')).filter((alias) => !names.includes(alias));
  const tell = createTell({ userIdHeader, groupsHeader, assertions, clock, aliases, removedHeaders });
  const withoutProof: IdentityHeaders['withoutProof'] = (caller, { cookie }, via) => {
    const told = tell(caller);
    const [set, remove] = [[...told.set], [...told.remove]];
    if (authMethodHeader !== undefined) set.push(authMethodHeader, via);
    if (via === 'header') remove.push(...credentials);
    if (caller.apiToken?.readOnly === true) remove.push(...METHOD_OVERRIDES);
    const rest = typeof cookie === 'string' ? withoutCookies(cookie, isOwn) : cookie;
    if (rest === '' || (rest !== undefined && rest.length > MAX_COOKIE_CHARACTERS)) remove.push('cookie');
    else if (typeof rest === 'string' && rest !== cookie) set.push('cookie', rest);
    return { set, remove, prove: told.prove };
  };
  return {
    forNobody: { set: [], remove: [...names, ...aliases] },
    withoutProof,
    isPerRequest: assertions !== undefined,
    forCaller: (caller, request, via) => {
      const { set, remove, prove } = withoutProof(caller, request.headers, via);
      return { set: prove === undefined ? set : [...set, ASSERTION_HEADER, prove(request)], remove };
    },
  };
}

interface TellOptions {
  readonly userIdHeader: string;
  readonly groupsHeader: string;
  readonly assertions: Assertions | undefined;
  readonly clock: Clock;
  readonly aliases: readonly string[];
  readonly removedHeaders: readonly string[];
}

/** What is told of a caller, kept ready for those who were here lately. */
function createTell(options: TellOptions): (caller: Caller) => ProvableEdits {
  const { userIdHeader, groupsHeader, assertions, clock, aliases, removedHeaders } = options;
  const always = [...(assertions === undefined ? [ASSERTION_HEADER] : []), ...removedHeaders];
  const [remove, removeGroups] = [
    [...aliases, ...always],
    [...aliases, groupsHeader, ...always],
  ];
  const known = new RecentMap<Caller, ProvableEdits>(MAX_KNOWN);
  // Sets of groups are the same arrays in many sessions.
  const groupTexts = new RecentMap<readonly string[], string>(MAX_KNOWN);
  const textOf = (groups: readonly string[]): string => {
    const text = groupTexts.get(groups) ?? renderGroups(groups);
    groupTexts.set(groups, text);
    return text;
  };
  return (caller) => {
    const before = known.get(caller);
    if (before !== undefined) return before;
    const [userId, groups] = [toHeaderText(caller.userId), textOf(caller.groups)];
    const assertRequest = assertions?.assertFor({ userId, groups });
    const prove = assertRequest && ((request: Parameters<Prover>[0]) => assertRequest(request, clock.now()));
    const told =
      groups === ''
        ? { set: [userIdHeader, userId], remove: removeGroups, prove }
        : { set: [userIdHeader, userId, groupsHeader, groups], remove, prove };
    known.set(caller, told);
    return told;
  };
}

/** Groups in one header, separated by commas; a comma inside of a name (a directory's DN) is escaped, or it would grant two groups. */
function renderGroups(groups: readonly string[]): string {
  return groups.map((group) => toHeaderText(group.replaceAll(',', '%2C'))).join(',');
}

/** UTF-8 bytes as the characters that node:http writes one byte each. */
function toHeaderText(text: string): string {
  return /^[\x20-\x7e]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}
