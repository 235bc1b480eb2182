/** Owns the rule that nobody may hand out rights that they do not have: roles need `escalate`, bindings need `bind`. */
import { isResource } from '../admission/admission.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission/admission.ts';
import type { UserInfo } from '../registry/request-context.ts';
import { forbidden } from '../registry/status-error.ts';
import { asObject, asString, isEqual } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import { isMaster } from './rbac-authorizer.ts';
import type { RbacAuthorizer } from './rbac-authorizer.ts';
import { parseRules, renderRule, uncoveredRules } from './rules.ts';
import type { PolicyRule } from './rules.ts';

const GROUP = 'rbac.authorization.k8s.io';

export function createEscalationCheck(rbac: RbacAuthorizer): AdmissionPlugin {
  return {
    name: 'rbac-escalation',
    validate(request) {
      if (request.operation === 'delete' || request.object === undefined || isMaster(request.context.user)) return;
      for (const plural of ['roles', 'clusterroles'])
        if (isResource(request, GROUP, plural)) checkRole(rbac, request, request.object);
      for (const plural of ['rolebindings', 'clusterrolebindings'])
        if (isResource(request, GROUP, plural)) checkBinding(rbac, request, request.object);
    },
  };
}

function checkRole(rbac: RbacAuthorizer, request: AdmissionRequest, role: JsonObject): void {
  const { user } = request.context;
  if (
    request.old !== undefined &&
    isEqual(request.old['rules'], role['rules']) &&
    isEqual(request.old['aggregationRule'], role['aggregationRule'])
  )
    return;
  const { plural } = request.served.definition;
  if (may(rbac, user, { verb: 'escalate', plural, name: request.name, namespace: request.namespace })) return;
  const wanted = role['aggregationRule'] === undefined ? parseRules(role['rules']) : EVERYTHING;
  refuse(request, uncoveredRules(rbac.rulesOf(user, request.namespace), wanted));
}

const EVERYTHING: PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] },
  { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] },
];

function checkBinding(rbac: RbacAuthorizer, request: AdmissionRequest, binding: JsonObject): void {
  const { user } = request.context;
  if (request.old !== undefined && isEqual(request.old['subjects'], binding['subjects'])) return;
  const role = asObject(binding['roleRef']);
  const [kind, name] = [asString(role['kind']), asString(role['name'])];
  const plural = kind === 'ClusterRole' ? 'clusterroles' : 'roles';
  if (may(rbac, user, { verb: 'bind', plural, name, namespace: request.namespace })) return;
  const rules = rbac.rulesOfRole(kind, name, request.namespace);
  if (rules === undefined) {
    throw forbidden(
      subject(request),
      `user ${JSON.stringify(user.name)} cannot bind ${kind} ${JSON.stringify(name)}: it does not exist`,
    );
  }
  refuse(request, uncoveredRules(rbac.rulesOf(user, request.namespace), rules));
}

interface Wish {
  readonly verb: string;
  readonly plural: string;
  readonly name: string;
  readonly namespace: string;
}

function may(rbac: RbacAuthorizer, user: UserInfo, { verb, plural, name, namespace }: Wish): boolean {
  return rbac.decide(user, { kind: 'resource', verb, group: GROUP, resource: plural, subresource: '', name, namespace })
    .allowed;
}

function subject(request: AdmissionRequest): { group: string; plural: string; name: string } {
  return { group: GROUP, plural: request.served.definition.plural, name: request.name };
}

function refuse(request: AdmissionRequest, missing: readonly PolicyRule[]): void {
  if (missing.length === 0) return;
  const { name, groups } = request.context.user;
  const shown = missing.slice(0, 20).map(renderRule).join('\n');
  const who = `user ${JSON.stringify(name)} (groups=${JSON.stringify(groups).replaceAll('","', '" "')})`;
  throw forbidden(subject(request), `${who} is attempting to grant RBAC permissions not currently held:\n${shown}`);
}
