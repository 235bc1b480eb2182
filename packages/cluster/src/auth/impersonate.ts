/** Owns impersonation: who may act as whom, by the `Impersonate-*` headers. */
import { headerOf } from '../api/api-request.ts';
import type { ApiRequest } from '../api/api-request.ts';
import type { RbacAuthorizer } from '../rbac/rbac-authorizer.ts';
import type { UserInfo } from '../registry/request-context.ts';
import { badRequest, StatusError } from '../registry/status-error.ts';

const SERVICE_ACCOUNT = /^system:serviceaccount:([^:]+):([^:]+)$/;

interface Wish {
  readonly group: string;
  readonly resource: string;
  readonly subresource: string;
  readonly namespace: string;
  readonly name: string;
}

/** The user that the request is to be judged as; 403 when the real one may not act as them. */
export function impersonatedUser(rbac: RbacAuthorizer, request: Pick<ApiRequest, 'headers' | 'user'>): UserInfo {
  const name = headerOf(request, 'impersonate-user');
  const groups = listHeader(request, 'impersonate-group');
  const uid = headerOf(request, 'impersonate-uid');
  const extra = extraHeaders(request);
  if (name === '') {
    if (groups.length === 0 && uid === '' && Object.keys(extra).length === 0) return request.user;
    throw badRequest('requested impersonation without impersonating a user');
  }
  for (const wish of wishesOf({ name, groups, uid, extra })) requireImpersonation(rbac, request.user, wish);
  const implied = SERVICE_ACCOUNT.exec(name);
  const own =
    groups.length > 0 || implied === null ? groups : ['system:serviceaccounts', `system:serviceaccounts:${implied[1]}`];
  const all =
    name === 'system:anonymous' || own.includes('system:unauthenticated')
      ? own
      : [...new Set([...own, 'system:authenticated'])];
  return { name, groups: all, ...(uid === '' ? {} : { uid }), ...(Object.keys(extra).length === 0 ? {} : { extra }) };
}

/** Node joins repeated headers with a comma; a group name has none. */
function listHeader(request: Pick<ApiRequest, 'headers'>, name: string): string[] {
  return headerOf(request, name)
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
}

function extraHeaders(request: Pick<ApiRequest, 'headers'>): Record<string, readonly string[]> {
  const prefix = 'impersonate-extra-';
  const names = Object.keys(request.headers).filter((name) => name.startsWith(prefix));
  return Object.fromEntries(names.map((name) => [decodeKey(name.slice(prefix.length)), listHeader(request, name)]));
}

function decodeKey(key: string): string {
  try {
    return decodeURIComponent(key);
  } catch {
    return key;
  }
}

interface Asked {
  readonly name: string;
  readonly groups: readonly string[];
  readonly uid: string;
  readonly extra: Readonly<Record<string, readonly string[]>>;
}

function wishesOf({ name, groups, uid, extra }: Asked): Wish[] {
  const account = SERVICE_ACCOUNT.exec(name);
  const authentication = 'authentication.k8s.io';
  const plain = { subresource: '', namespace: '' };
  const subject: Wish =
    account === null
      ? { ...plain, group: '', resource: 'users', name }
      : {
          group: '',
          resource: 'serviceaccounts',
          subresource: '',
          namespace: account[1] ?? '',
          name: account[2] ?? '',
        };
  return [
    subject,
    ...groups.map((group): Wish => ({ ...plain, group: '', resource: 'groups', name: group })),
    ...(uid === '' ? [] : [{ ...plain, group: authentication, resource: 'uids', name: uid }]),
    ...Object.entries(extra).flatMap(([key, values]) =>
      values.map((value): Wish => ({
        group: authentication,
        resource: 'userextras',
        subresource: key,
        namespace: '',
        name: value,
      })),
    ),
  ];
}

function requireImpersonation(rbac: RbacAuthorizer, user: UserInfo, wish: Wish): void {
  if (rbac.decide(user, { kind: 'resource', verb: 'impersonate', ...wish }).allowed) return;
  const place = wish.namespace === '' ? 'at the cluster scope' : `in the namespace ${JSON.stringify(wish.namespace)}`;
  const message = `${wish.resource} ${JSON.stringify(wish.name)} is forbidden: User ${JSON.stringify(user.name)} cannot impersonate resource ${JSON.stringify(wish.resource)} in API group ${JSON.stringify(wish.group)} ${place}`;
  throw new StatusError(403, 'Forbidden', { message, details: { name: wish.name, kind: wish.resource } });
}
