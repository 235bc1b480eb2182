/** Owns the refusal of requests that the user may not make. */
import { impersonatedUser } from '../auth/impersonate.ts';
import type { Authorizer } from '../api/api-handler.ts';
import type { RequestInfo } from '../api/request-info.ts';
import type { UserInfo } from '../registry/request-context.ts';
import { groupResource, StatusError } from '../registry/status-error.ts';
import type { AccessRequest, RbacAuthorizer } from './rbac-authorizer.ts';

/** Open to everybody, also without credentials. */
const PUBLIC_PATHS = new Set(['/healthz', '/livez', '/readyz', '/version', '/version/']);

export function createAuthorizer(rbac: RbacAuthorizer): Authorizer {
  return {
    actingUser: (request) => impersonatedUser(rbac, request),
    requireAllowed(user, info) {
      if (info.kind === 'path' && isPublic(info.path) && info.verb === 'get') return;
      if (!rbac.decide(user, accessOf(info)).allowed) throw refusal(user, info);
    },
  };
}

function isPublic(path: string): boolean {
  return PUBLIC_PATHS.has(path) || /^\/(?:healthz|livez|readyz)\/[-\w/]*$/.test(path);
}

function accessOf(info: RequestInfo): AccessRequest {
  if (info.kind === 'path') return { kind: 'path', verb: info.verb, path: info.path };
  const { verb, group, plural, subresource, name, namespace } = info;
  return { kind: 'resource', verb, group, resource: plural, subresource, name, namespace };
}

function refusal(user: UserInfo, info: RequestInfo): StatusError {
  const who = `User ${JSON.stringify(user.name)}`;
  if (info.kind === 'path') {
    return new StatusError(403, 'Forbidden', {
      message: `forbidden: ${who} cannot ${info.verb} path ${JSON.stringify(info.path)}`,
      details: {},
    });
  }
  const { group, plural, subresource, name, namespace, verb } = info;
  const resource = subresource === '' ? plural : `${plural}/${subresource}`;
  const place =
    namespace === '' || plural === 'namespaces'
      ? ' at the cluster scope'
      : ` in the namespace ${JSON.stringify(namespace)}`;
  const where = plural === 'namespaces' && name !== '' ? ` in the namespace ${JSON.stringify(name)}` : place;
  const subject = `${groupResource({ group, plural })}${name === '' ? '' : ` ${JSON.stringify(name)}`}`;
  const message = `${subject} is forbidden: ${who} cannot ${verb} resource ${JSON.stringify(resource)} in API group ${JSON.stringify(group)}${where}`;
  const details = { ...(name === '' ? {} : { name }), ...(group === '' ? {} : { group }), kind: plural };
  return new StatusError(403, 'Forbidden', { message, details });
}
