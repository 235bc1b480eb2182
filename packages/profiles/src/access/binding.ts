/** Owns bindings: one person's role in one workspace, kept as a RoleBinding and an AuthorizationPolicy of one name. */
import type { KubeObject, ObjectMeta, RoleBinding } from '@kfctl/kube';
import { personPolicy } from '../istio/authorization-policy.ts';
import type { AuthorizationPolicy, IstioNames } from '../istio/authorization-policy.ts';
import { refusal } from '../errors.ts';
import { isUserName } from './user-name.ts';

// Importing names of it loads Web Cryptography and more: megabytes in every process for nothing.
const { createHash } = process.getBuiltinModule('node:crypto');

export type Role = 'admin' | 'edit' | 'view';

export interface Binding {
  readonly user: string;
  readonly namespace: string;
  readonly role: Role;
}

const ROLES: readonly Role[] = ['admin', 'edit', 'view'];
const MAX_SLUG = 150;

/** The binding that a request's body asks for; throws 400. Roles may be named `edit` or `kubeflow-edit`. */
export function parseBinding(body: unknown): Binding {
  const fields = record(body);
  const user = record(fields['user']);
  const roleRef = record(fields['RoleRef'] ?? fields['roleRef']);
  if (user['kind'] !== 'User') throw refusal(400, 'user.kind must be User');
  if (roleRef['kind'] !== 'ClusterRole') throw refusal(400, 'RoleRef.kind must be ClusterRole');
  const role = roleOf(text(roleRef['name']));
  if (role === undefined) throw refusal(400, 'RoleRef.name must be edit, view or admin');
  if (!isUserName(text(user['name']))) throw refusal(400, 'user.name is not the name of one person');
  const namespace = text(fields['referredNamespace']);
  if (namespace === '') throw refusal(400, 'referredNamespace is missing');
  return { user: text(user['name']), namespace, role };
}

/** `{ user, referredNamespace, RoleRef }`, the form that clients of access management read. */
export function renderBinding({ user, namespace, role }: Binding): unknown {
  return {
    user: { kind: 'User', name: user },
    referredNamespace: namespace,
    RoleRef: { kind: 'ClusterRole', name: role },
  };
}

/** A readable name that no other person's binding has: two people may share the readable half, never the digest. */
export function bindingName({ user, role }: Binding): string {
  const slug = `user-${user}-clusterrole-${role}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const digest = createHash('sha256').update(`${role}\0${user}`).digest('hex').slice(0, 12);
  return `${slug.slice(0, MAX_SLUG).replace(/-+$/, '')}-${digest}`;
}

export interface BindingObjects {
  readonly policy: AuthorizationPolicy;
  readonly roleBinding: RoleBinding;
}

export function bindingObjects(binding: Binding, istio: IstioNames): BindingObjects {
  const { user, namespace, role } = binding;
  const metadata = (): ObjectMeta => ({ name: bindingName(binding), namespace, annotations: { user, role } });
  return {
    policy: personPolicy(istio, metadata(), user),
    roleBinding: {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'RoleBinding',
      metadata: metadata(),
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: `kubeflow-${role}` },
      subjects: [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }],
    },
  };
}

/** The bindings that a RoleBinding means, by its real role and subjects; the annotations only mark it as ours or as an older tool's. */
export function bindingsOf(object: RoleBinding): readonly Binding[] {
  const { namespace = '', annotations = {} } = object.metadata;
  const role = object.roleRef.kind === 'ClusterRole' ? roleOf(object.roleRef.name) : undefined;
  if (role === undefined || annotations['user'] === undefined || annotations['role'] === undefined) return [];
  return (object.subjects ?? [])
    .filter(({ kind }) => kind === 'User')
    .map(({ name }) => ({ user: name, namespace, role }));
}

/** True for an object, of any name, that was made for exactly this binding. */
export function isMadeFor(object: KubeObject, { user, role }: Binding): boolean {
  const { annotations = {} } = object.metadata;
  return annotations['user'] === user && annotations['role'] === role;
}

function roleOf(name: string): Role | undefined {
  return ROLES.find((role) => name === role || name === `kubeflow-${role}`);
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Readonly<Record<string, unknown>>)
    : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
