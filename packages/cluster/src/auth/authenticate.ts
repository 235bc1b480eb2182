/** Owns the answer to "who is this?": client certificates and bearer tokens; nobody else is anonymous. */
import type { TLSSocket } from 'node:tls';
import type { Authenticator } from '../api/https-server.ts';
import { headerOf } from '../api/api-request.ts';
import type { ApiRequest } from '../api/api-request.ts';
import type { UserInfo } from '../registry/request-context.ts';
import { StatusError } from '../registry/status-error.ts';

export const ANONYMOUS: UserInfo = { name: 'system:anonymous', groups: ['system:unauthenticated'] };
const AUTHENTICATED = 'system:authenticated';

export interface TokenVerifier {
  /** The user of a token; undefined when it is not good. */
  verify(token: string): UserInfo | undefined;
}

export function createAuthenticator(tokens: TokenVerifier): Authenticator {
  const certificates = new WeakMap<TLSSocket, UserInfo>();
  return {
    authenticate(socket, headers) {
      const authorization = headerOf({ headers } as Pick<ApiRequest, 'headers'>, 'authorization');
      if (authorization !== '') return requireToken(tokens, authorization);
      const known = certificates.get(socket);
      if (known !== undefined) return known;
      const user = certificateUser(socket) ?? ANONYMOUS;
      certificates.set(socket, user);
      return user;
    },
  };
}

export function unauthorized(): StatusError {
  return new StatusError(401, 'Unauthorized', { message: 'Unauthorized' });
}

function requireToken(tokens: TokenVerifier, authorization: string): UserInfo {
  const found = /^Bearer +(\S+)$/i.exec(authorization);
  const user = found?.[1] === undefined ? undefined : tokens.verify(found[1]);
  if (user === undefined) throw unauthorized();
  return user;
}

/** CN is the name, each O a group; only certificates that the cluster's CA signed for clients count. */
function certificateUser(socket: TLSSocket): UserInfo | undefined {
  if (!socket.authorized) return undefined;
  const certificate = socket.getPeerCertificate();
  const usages = certificate.ext_key_usage;
  if (usages !== undefined && !usages.includes('1.3.6.1.5.5.7.3.2')) return undefined;
  const subject = certificate.subject as
    | { readonly CN?: string | readonly string[]; readonly O?: string | readonly string[] }
    | undefined;
  const name = typeof subject?.CN === 'string' ? subject.CN : subject?.CN?.[0];
  if (name === undefined || name === '') return undefined;
  const organizations = subject?.O === undefined ? [] : typeof subject.O === 'string' ? [subject.O] : subject.O;
  return { name, groups: [...organizations, AUTHENTICATED] };
}
