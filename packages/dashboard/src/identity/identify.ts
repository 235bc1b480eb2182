/**
 * Owns who the caller is. The gateway sets the identity header and removes the client's own, but whatever pod reaches this port could
 * write it too; so it is believed only beside the AuthService's assertion that this very request is this person's. Without both a
 * request came around the gateway, and it is refused: there is no anonymous user.
 */
import type { HttpHandler, HttpRequest, HttpResponse } from '@kfctl/http';
import { ASSERTION_HEADER } from '@kfctl/oidc';
import type { AssertedRequest } from '@kfctl/oidc';
import { refusal } from '../errors.ts';

export interface User {
  /** The user id without the configured prefix, usually an e-mail address. */
  readonly id: string;
  /** Headers to repeat towards access management, which decides for itself. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface IdentityRules {
  readonly userIdHeader: string;
  readonly userIdPrefix: string;
  readonly groupsHeader: string;
  /** Whether an assertion is good for a request; it is always asked, also where there is none to judge. */
  readonly isAsserted: (assertion: unknown, request: AssertedRequest) => boolean;
}

export type UserHandler = (request: HttpRequest, user: User) => HttpResponse | Promise<HttpResponse>;

// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\s,\u0000-\u001f\u007f]/;

/** The caller, or undefined: no header, a repeated one (Node joins those with a comma), one without the prefix or the assertion. */
export function identify(request: HttpRequest, rules: IdentityRules): User | undefined {
  const value = request.headers[rules.userIdHeader];
  if (typeof value !== 'string' || FORBIDDEN.test(value) || !value.startsWith(rules.userIdPrefix)) return undefined;
  const { method, path, headers } = request;
  const groups = headers[rules.groupsHeader] ?? '';
  if (typeof groups !== 'string') return undefined;
  if (!rules.isAsserted(headers[ASSERTION_HEADER], { method, path, userId: value, groups })) return undefined;
  const id = value.slice(rules.userIdPrefix.length);
  return id === '' ? undefined : { id, headers: { [rules.userIdHeader]: value } };
}

/** Wraps a handler so that it runs only for an identified caller; everybody else gets 401. */
export function requireUser(rules: IdentityRules, handler: UserHandler): HttpHandler {
  return (request) => {
    const user = identify(request, rules);
    if (user === undefined) throw refusal(401, 'Unable to ascertain user identity from request, cannot access route.');
    return handler(request, user);
  };
}
