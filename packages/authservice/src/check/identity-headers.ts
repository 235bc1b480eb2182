/** Owns what the gateway is told to do with a request's headers: who it is, and which of the client's headers must not get through. */
import { ASSERTION_HEADER, createAssertions, FLOW_COOKIE_PREFIX, withoutCookies } from '@kfctl/oidc';
import type { Clock, Secret } from '@kfctl/core';
import type { Caller, JudgedRequest } from './authenticate.ts';

export interface IdentityHeaderOptions {
  /** Lower case. */
  readonly userIdHeader: string;
  readonly groupsHeader: string;
  readonly cookieName: string;
  /** The first proves to backends that the identity is ours; empty: no proof is given. */
  readonly assertionKeys: readonly Secret[];
}

export interface IdentityHeaders {
  /** For a request that passes as somebody. */
  forCaller(caller: Caller, request: JudgedRequest, via: 'cookie' | 'header'): readonly string[];
  /** For a request that passes as nobody: no identity of the client's making may pass with it. */
  readonly forNobody: readonly string[];
}

/** Envoy's way to take headers of the client away (ext_authz over HTTP); our gateway keeps it too. Applied after headers are set. */
const REMOVE = 'x-envoy-auth-headers-to-remove';

/** A longer rest would not fit in an answer that every gateway takes; it is dropped with the session rather than passed on with it. */
const MAX_COOKIE_CHARACTERS = 10_000;

/**
 * The session cookie never reaches upstreams: a notebook is code of its owner, and whoever is lured to it would hand its owner
 * the whole session. The same goes for the token in a header.
 */
export function createIdentityHeaders(options: IdentityHeaderOptions, clock: Clock): IdentityHeaders {
  const { userIdHeader, groupsHeader, cookieName, assertionKeys } = options;
  const assertions = assertionKeys.length === 0 ? undefined : createAssertions(assertionKeys);
  const isOwn = (name: string): boolean => name === cookieName || name.startsWith(FLOW_COOKIE_PREFIX);
  // Servers that speak CGI's dialect read `_` as `-`.
  const names = [userIdHeader, groupsHeader, ASSERTION_HEADER];
  const aliasesOnly = names.map((name) => name.replaceAll('-', '_')).filter((alias) => !names.includes(alias));
  return {
    forNobody: [REMOVE, [...names, ...aliasesOnly].join(',')],
    forCaller: (caller, { method, path, headers: sent }, via) => {
      const userId = toHeaderText(caller.userId);
      const groups = renderGroups(caller.groups);
      const headers = [userIdHeader, userId];
      const remove = [...aliasesOnly];
      if (groups === '') remove.push(groupsHeader);
      else headers.push(groupsHeader, groups);
      if (assertions === undefined) remove.push(ASSERTION_HEADER);
      else headers.push(ASSERTION_HEADER, assertions.assert({ method, path, userId, groups }, clock.now()));
      if (via === 'header') remove.push('authorization', 'x-auth-token');
      const { cookie } = sent;
      if (typeof cookie === 'string') {
        const rest = withoutCookies(cookie, isOwn);
        if (rest === '' || rest.length > MAX_COOKIE_CHARACTERS) remove.push('cookie');
        else if (rest !== cookie) headers.push('cookie', rest);
      }
      headers.push(REMOVE, remove.join(','));
      return headers;
    },
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
