/** Owns the roles and bindings that every cluster has from the start. */
import type { JsonObject } from '../schema/json.ts';

const API = 'rbac.authorization.k8s.io/v1';
const LABELS = { 'kubernetes.io/bootstrapping': 'rbac-defaults' };
const READ = ['get', 'list', 'watch'];
const WRITE = ['create', 'delete', 'deletecollection', 'patch', 'update'];

type Rule = Readonly<Record<string, readonly string[]>>;

function rule(apiGroups: string, resources: string, verbs: readonly string[]): Rule {
  return {
    apiGroups: apiGroups.split(' ').map((group) => (group === 'core' ? '' : group)),
    resources: resources.split(' '),
    verbs,
  };
}

function urls(paths: string, ...verbs: readonly string[]): Rule {
  return { nonResourceURLs: paths.split(' '), verbs };
}

function role(name: string, rules: readonly Rule[], labels: Readonly<Record<string, string>> = {}): JsonObject {
  return { apiVersion: API, kind: 'ClusterRole', metadata: { name, labels: { ...LABELS, ...labels } }, rules };
}

function aggregate(name: string, label: string, labels: Readonly<Record<string, string>> = {}): JsonObject {
  const selector = { matchLabels: { [`rbac.authorization.k8s.io/aggregate-to-${label}`]: 'true' } };
  return { ...role(name, [], labels), aggregationRule: { clusterRoleSelectors: [selector] } };
}

function to(label: string): Readonly<Record<string, string>> {
  return { [`rbac.authorization.k8s.io/aggregate-to-${label}`]: 'true' };
}

function bind(name: string, ...groups: readonly string[]): JsonObject {
  return {
    apiVersion: API,
    kind: 'ClusterRoleBinding',
    metadata: { name, labels: LABELS },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
    subjects: groups.map((group) => ({ apiGroup: 'rbac.authorization.k8s.io', kind: 'Group', name: group })),
  };
}

const CORE_READ =
  'configmaps endpoints persistentvolumeclaims persistentvolumeclaims/status pods pods/log pods/status replicationcontrollers replicationcontrollers/scale replicationcontrollers/status serviceaccounts services services/status';
const QUOTA_READ = 'bindings events limitranges namespaces namespaces/status resourcequotas resourcequotas/status';
const APPS =
  'controllerrevisions daemonsets daemonsets/status deployments deployments/scale deployments/status replicasets replicasets/scale replicasets/status statefulsets statefulsets/scale statefulsets/status';
const APPS_WRITE =
  'daemonsets deployments deployments/rollback deployments/scale replicasets replicasets/scale statefulsets statefulsets/scale';
const NETWORKING = 'ingresses ingresses/status networkpolicies';

const viewRules: readonly Rule[] = [
  rule('core', CORE_READ, READ),
  rule('core', QUOTA_READ, READ),
  rule('discovery.k8s.io', 'endpointslices', READ),
  rule('apps', APPS, READ),
  rule('autoscaling', 'horizontalpodautoscalers horizontalpodautoscalers/status', READ),
  rule('batch', 'cronjobs cronjobs/status jobs jobs/status', READ),
  rule('policy', 'poddisruptionbudgets poddisruptionbudgets/status', READ),
  rule('networking.k8s.io', NETWORKING, READ),
];

const editRules: readonly Rule[] = [
  rule('core', 'pods/attach pods/exec pods/portforward pods/proxy secrets services/proxy', READ),
  rule('core', 'serviceaccounts', ['impersonate']),
  rule('core', 'pods pods/attach pods/exec pods/portforward pods/proxy', WRITE),
  rule('core', 'pods/eviction', ['create']),
  rule(
    'core',
    'configmaps events persistentvolumeclaims replicationcontrollers replicationcontrollers/scale secrets serviceaccounts services services/proxy',
    WRITE,
  ),
  rule('core', 'serviceaccounts/token', ['create']),
  rule('apps', APPS_WRITE, WRITE),
  rule('autoscaling', 'horizontalpodautoscalers', WRITE),
  rule('batch', 'cronjobs jobs', WRITE),
  rule('policy', 'poddisruptionbudgets', WRITE),
  rule('networking.k8s.io', 'ingresses networkpolicies', WRITE),
  rule('coordination.k8s.io', 'leases', [...WRITE, ...READ]),
];

const adminRules: readonly Rule[] = [
  rule('authorization.k8s.io', 'localsubjectaccessreviews', ['create']),
  rule('rbac.authorization.k8s.io', 'rolebindings roles', [...WRITE, ...READ]),
];

const DISCOVERY = '/api /api/* /apis /apis/* /healthz /livez /openapi /openapi/* /readyz /version /version/';

/** Roles and bindings, in the order in which they are to be made. */
export const bootstrapRbac: readonly JsonObject[] = [
  role('cluster-admin', [rule('*', '*', ['*']), urls('*', '*')]),
  role('system:aggregate-to-view', viewRules, to('view')),
  role('system:aggregate-to-edit', editRules, to('edit')),
  role('system:aggregate-to-admin', adminRules, to('admin')),
  aggregate('view', 'view', to('edit')),
  aggregate('edit', 'edit', to('admin')),
  aggregate('admin', 'admin'),
  role('system:basic-user', [
    rule('authorization.k8s.io', 'selfsubjectaccessreviews selfsubjectrulesreviews', ['create']),
    rule('authentication.k8s.io', 'selfsubjectreviews', ['create']),
  ]),
  role('system:discovery', [urls(DISCOVERY, 'get')]),
  role('system:public-info-viewer', [urls('/healthz /livez /readyz /version /version/', 'get')]),
  role('system:service-account-issuer-discovery', [
    urls(
      '/.well-known/openid-configuration /.well-known/openid-configuration/ /openid/v1/jwks /openid/v1/jwks/',
      'get',
    ),
  ]),
  role('system:auth-delegator', [
    rule('authentication.k8s.io', 'tokenreviews', ['create']),
    rule('authorization.k8s.io', 'subjectaccessreviews', ['create']),
  ]),
  bind('cluster-admin', 'system:masters'),
  bind('system:basic-user', 'system:authenticated'),
  bind('system:discovery', 'system:authenticated'),
  bind('system:public-info-viewer', 'system:authenticated', 'system:unauthenticated'),
  bind('system:service-account-issuer-discovery', 'system:serviceaccounts'),
];
