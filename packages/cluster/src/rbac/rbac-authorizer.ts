/** Owns the decision "may this user do that?" from the stored roles and bindings. */
import type { UserInfo } from '../registry/request-context.ts';
import { SYSTEM_MASTERS } from '../registry/request-context.ts';
import { asArray, asObject, asString } from '../schema/json.ts';
import type { JsonObject } from '../schema/json.ts';
import type { ObjectStore } from '../store/object-store.ts';
import { parseStored } from '../store/stored-object.ts';
import type { StoredObject } from '../store/stored-object.ts';
import { allowsPath, allowsResource, parseRules } from './rules.ts';
import type { PolicyRule, ResourceAttributes } from './rules.ts';

export type AccessRequest =
  | ({ readonly kind: 'resource'; readonly namespace: string } & ResourceAttributes)
  | { readonly kind: 'path'; readonly verb: string; readonly path: string };

export type Decision = { readonly allowed: true; readonly reason: string } | { readonly allowed: false };

export interface RbacAuthorizer {
  decide(user: UserInfo, request: AccessRequest): Decision;
  /** Every rule that a user has in a namespace (and in the cluster). */
  rulesOf(user: UserInfo, namespace: string): readonly PolicyRule[];
  rulesOfRole(kind: string, name: string, namespace: string): readonly PolicyRule[] | undefined;
}

const GROUP = 'rbac.authorization.k8s.io';

export function createRbacAuthorizer(store: ObjectStore): RbacAuthorizer {
  const read = createRoleReader(store);
  const visit = (user: UserInfo, namespace: string): Generator<Grant> => grantsOf(read, user, { store, namespace });
  return {
    rulesOfRole: read.rulesOfRole,
    rulesOf: (user, namespace) => (isMaster(user) ? EVERYTHING : [...visit(user, namespace)].map(({ rule }) => rule)),
    decide(user, request) {
      if (isMaster(user)) return { allowed: true, reason: '' };
      const namespace = request.kind === 'resource' ? request.namespace : '';
      for (const { rule, why } of visit(user, namespace)) {
        const allowed =
          request.kind === 'resource' ? allowsResource(rule, request) : allowsPath(rule, request.verb, request.path);
        if (allowed) return { allowed: true, reason: why() };
      }
      return { allowed: false };
    },
  };
}

interface RoleReader {
  object(stored: StoredObject): JsonObject;
  rulesOfRole(kind: string, name: string, namespace: string): readonly PolicyRule[] | undefined;
}

/** Parses each stored role and binding once; a changed one is another stored object. */
function createRoleReader(store: ObjectStore): RoleReader {
  const objects = new WeakMap<StoredObject, JsonObject>();
  const rules = new WeakMap<StoredObject, PolicyRule[]>();
  const object = (stored: StoredObject): JsonObject => {
    const known = objects.get(stored) ?? parseStored(stored);
    objects.set(stored, known);
    return known;
  };
  return {
    object,
    rulesOfRole(kind, name, namespace) {
      const isCluster = kind === 'ClusterRole';
      const stored = isCluster
        ? store.get(`${GROUP}/clusterroles`, '', name)
        : store.get(`${GROUP}/roles`, namespace, name);
      if (stored === undefined) return undefined;
      const known = rules.get(stored) ?? parseRules(object(stored)['rules']);
      rules.set(stored, known);
      return known;
    },
  };
}

interface Grant {
  readonly rule: PolicyRule;
  readonly why: () => string;
}

interface Scope {
  readonly store: ObjectStore;
  /** Empty: the cluster only. */
  readonly namespace: string;
}

function* grantsOf(read: RoleReader, user: UserInfo, { store, namespace }: Scope): Generator<Grant> {
  const local = namespace === '' ? [] : store.list(`${GROUP}/rolebindings`, namespace);
  for (const stored of [...store.list(`${GROUP}/clusterrolebindings`), ...local]) {
    const binding = read.object(stored);
    if (!appliesTo(binding, user, stored.namespace)) continue;
    const role = asObject(binding['roleRef']);
    const rules = read.rulesOfRole(asString(role['kind']), asString(role['name']), stored.namespace) ?? [];
    const why = (): string => describe(stored, role, user);
    for (const rule of rules) yield { rule, why };
  }
}

const EVERYTHING: readonly PolicyRule[] = [
  { verbs: ['*'], apiGroups: ['*'], resources: ['*'], resourceNames: [], nonResourceURLs: [] },
  { verbs: ['*'], apiGroups: [], resources: [], resourceNames: [], nonResourceURLs: ['*'] },
];

export function isMaster(user: UserInfo): boolean {
  return user.groups.includes(SYSTEM_MASTERS);
}

function appliesTo(binding: JsonObject, user: UserInfo, namespace: string): boolean {
  return asArray(binding['subjects']).some((value) => {
    const subject = asObject(value);
    const name = asString(subject['name']);
    if (subject['kind'] === 'User') return name === user.name;
    if (subject['kind'] === 'Group') return user.groups.includes(name);
    const home = asString(subject['namespace']) || namespace;
    return subject['kind'] === 'ServiceAccount' && user.name === `system:serviceaccount:${home}:${name}`;
  });
}

function describe(stored: StoredObject, role: JsonObject, user: UserInfo): string {
  const kind = stored.namespace === '' ? 'ClusterRoleBinding' : 'RoleBinding';
  const place = stored.namespace === '' ? '' : `${stored.name}/${stored.namespace}`;
  const shown = place === '' ? stored.name : place;
  return `RBAC: allowed by ${kind} ${JSON.stringify(shown)} of ${asString(role['kind'])} ${JSON.stringify(asString(role['name']))} to User ${JSON.stringify(user.name)}`;
}
