/** Owns the virtual resources that answer questions: may somebody do something, whose token is this, who am I. */
import { parseContext } from '../api/query-options.ts';
import type { ResourceCall, SubresourceHandler } from '../api/resource-handler.ts';
import type { ApiAnswer } from '../api/api-request.ts';
import type { TokenIssuer } from '../auth/service-account-tokens.ts';
import type { AccessRequest, RbacAuthorizer } from '../rbac/rbac-authorizer.ts';
import { decodeObject } from '../registry/decode-object.ts';
import { renderTime } from '../registry/object-meta.ts';
import type { UserInfo } from '../registry/request-context.ts';
import { badRequest, methodNotAllowed } from '../registry/status-error.ts';
import { subjectOf } from '../registry/registry-deps.ts';
import { asArray, asObject, asString, isObject } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';

export interface ReviewDeps {
  readonly rbac: RbacAuthorizer;
  readonly tokens: TokenIssuer;
  readonly now: () => Date;
}

type Review = (deps: ReviewDeps, call: ResourceCall, review: JsonObject) => JsonObject;

/** Handlers by the key of the dispatch table. */
export function createReviews(deps: ReviewDeps): [string, SubresourceHandler][] {
  const table: readonly (readonly [string, Review])[] = [
    ['authorization.k8s.io/subjectaccessreviews/', reviewSubject],
    ['authorization.k8s.io/localsubjectaccessreviews/', reviewLocalSubject],
    ['authorization.k8s.io/selfsubjectaccessreviews/', reviewSelf],
    ['authorization.k8s.io/selfsubjectrulesreviews/', reviewRules],
    ['authentication.k8s.io/tokenreviews/', reviewToken],
    ['authentication.k8s.io/selfsubjectreviews/', reviewWhoAmI],
  ];
  return table.map(([key, review]) => [key, (call) => answer(deps, call, review)]);
}

async function answer(deps: ReviewDeps, call: ResourceCall, review: Review): Promise<ApiAnswer> {
  if (call.info.verb !== 'create') throw methodNotAllowed(subjectOf(call.target), call.info.verb);
  const context = parseContext(call.request, 'CreateOptions');
  const body = (await call.request.body()) ?? {};
  const object = decodeObject(body, call.served, context);
  const metadata = { creationTimestamp: null, ...asObject(object['metadata']) };
  return { status: 201, body: { ...object, metadata, ...review(deps, call, object) }, warnings: context.warnings };
}

function decisionStatus(deps: ReviewDeps, user: UserInfo, spec: JsonObject): JsonObject {
  const decision = deps.rbac.decide(user, accessOf(spec));
  return {
    status: decision.allowed
      ? { allowed: true, ...(decision.reason === '' ? {} : { reason: decision.reason }) }
      : { allowed: false },
  };
}

function accessOf(spec: JsonObject): AccessRequest {
  const path = spec['nonResourceAttributes'];
  const resource = spec['resourceAttributes'];
  if (isObject(path) === isObject(resource))
    throw badRequest('exactly one of nonResourceAttributes or resourceAttributes must be specified');
  if (isObject(path)) return { kind: 'path', verb: asString(path['verb']), path: asString(path['path']) };
  const attributes = asObject(resource);
  const [plural = '', nested = ''] = asString(attributes['resource']).split('/');
  return {
    kind: 'resource',
    verb: asString(attributes['verb']),
    group: asString(attributes['group']),
    resource: plural,
    subresource: asString(attributes['subresource']) || nested,
    name: asString(attributes['name']),
    namespace: asString(attributes['namespace']),
  };
}

function subjectUser(spec: JsonObject): UserInfo {
  const groups = asArray(spec['groups']).map(asString);
  if (asString(spec['user']) === '' && groups.length === 0)
    throw badRequest('spec.user: at least one of user or group must be specified');
  return { name: asString(spec['user']), groups };
}

function reviewSubject(deps: ReviewDeps, _call: ResourceCall, review: JsonObject): JsonObject {
  const spec = asObject(review['spec']);
  return decisionStatus(deps, subjectUser(spec), spec);
}

function reviewLocalSubject(deps: ReviewDeps, call: ResourceCall, review: JsonObject): JsonObject {
  const spec = asObject(review['spec']);
  if (asString(asObject(spec['resourceAttributes'])['namespace']) !== call.target.namespace) {
    throw badRequest('spec.resourceAttributes.namespace must match metadata.namespace');
  }
  return decisionStatus(deps, subjectUser(spec), spec);
}

function reviewSelf(deps: ReviewDeps, call: ResourceCall, review: JsonObject): JsonObject {
  return decisionStatus(deps, call.request.user, asObject(review['spec']));
}

function reviewRules(deps: ReviewDeps, call: ResourceCall, review: JsonObject): JsonObject {
  const namespace = asString(asObject(review['spec'])['namespace']);
  if (namespace === '') throw badRequest('no namespace on request');
  const rules = deps.rbac.rulesOf(call.request.user, namespace);
  const list = (values: readonly string[], field: string): JsonObject =>
    values.length === 0 ? {} : { [field]: values };
  const resourceRules = rules
    .filter((rule) => rule.resources.length > 0)
    .map((rule) => ({
      verbs: rule.verbs,
      apiGroups: rule.apiGroups,
      resources: rule.resources,
      ...list(rule.resourceNames, 'resourceNames'),
    }));
  const nonResourceRules = rules
    .filter((rule) => rule.nonResourceURLs.length > 0)
    .map((rule) => ({ verbs: rule.verbs, nonResourceURLs: rule.nonResourceURLs }));
  return { status: { resourceRules, nonResourceRules, incomplete: false } };
}

function renderUser(user: UserInfo): JsonObject {
  return {
    username: user.name,
    ...(user.uid === undefined ? {} : { uid: user.uid }),
    groups: user.groups,
    ...(user.extra === undefined ? {} : { extra: user.extra }),
  };
}

function reviewToken(deps: ReviewDeps, _call: ResourceCall, review: JsonObject): JsonObject {
  const spec = asObject(review['spec']);
  const wanted = asArray(spec['audiences']).map(asString);
  const found = deps.tokens.authenticate(asString(spec['token']), wanted.length > 0 ? wanted : [deps.tokens.issuer]);
  if (found === undefined) return { status: { user: {}, error: 'invalid bearer token' } };
  return { status: { authenticated: true, user: renderUser(found.user), audiences: found.audiences } };
}

function reviewWhoAmI(deps: ReviewDeps, call: ResourceCall): JsonObject {
  return {
    metadata: { creationTimestamp: renderTime(deps.now()) },
    status: { userInfo: renderUser(call.request.user) },
  };
}
