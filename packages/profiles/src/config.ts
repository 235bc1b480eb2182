/** Owns the settings of the `profiles` process, all from the environment. */
import { hostname } from 'node:os';
import { createEnvReader, randomToken } from '@kfctl/core';
import type { Environment } from '@kfctl/core';
import type { IstioNames } from './istio/authorization-policy.ts';

export interface Config {
  readonly port: number;
  readonly healthPort: number;
  /** Header names in lower case. */
  readonly userIdHeader: string;
  readonly userIdPrefix: string;
  readonly clusterAdmins: ReadonlySet<string>;
  /** Whether people may make their own first workspace. */
  readonly registrationFlow: boolean;
  readonly profilesPerUser: number;
  /** Users of the Kubernetes API (`system:serviceaccount:NS:NAME`) that may speak for people; empty: the network decides. */
  readonly trustedCallers: ReadonlySet<string>;
  readonly reservedNamespaces: readonly string[];
  readonly istio: IstioNames;
  readonly podNamespace: string;
  readonly podName: string;
}

/** Reads the settings; throws one error that lists every mistake. */
export function readConfig(env: Environment): Config {
  const read = createEnvReader(env);
  const userIdHeader = read.string('USERID_HEADER', 'kubeflow-userid').toLowerCase();
  if (!/^[a-z0-9-]+$/.test(userIdHeader)) read.problem('USERID_HEADER', 'is not a header name');
  const userIdPrefix = read.string('USERID_PREFIX', '');
  const podNamespace = read.string('POD_NAMESPACE', 'kubeflow');
  const config: Config = {
    port: read.integer('PORT', { fallback: 8081, min: 0, max: 65_535 }),
    healthPort: read.integer('HEALTH_PORT', { fallback: 9876, min: 0, max: 65_535 }),
    userIdHeader,
    userIdPrefix,
    clusterAdmins: new Set(read.list('CLUSTER_ADMINS')),
    registrationFlow: read.boolean('REGISTRATION_FLOW', true),
    profilesPerUser: read.integer('PROFILES_PER_USER', { fallback: 3, min: 1, max: 1000 }),
    trustedCallers: new Set(read.list('TRUSTED_CALLERS')),
    reservedNamespaces: [podNamespace, ...read.list('RESERVED_NAMESPACES')],
    istio: {
      userIdHeader,
      userIdPrefix,
      gatewayPrincipal: read.string(
        'ISTIO_INGRESS_GATEWAY_PRINCIPAL',
        'cluster.local/ns/istio-system/sa/istio-ingressgateway-service-account',
      ),
      pipelinesPrincipal: read.string('KFP_UI_PRINCIPAL', 'cluster.local/ns/kubeflow/sa/ml-pipeline-ui'),
      notebooksPrincipal: read.string(
        'NOTEBOOK_CONTROLLER_PRINCIPAL',
        'cluster.local/ns/kubeflow/sa/notebook-controller-service-account',
      ),
    },
    podNamespace,
    // A host's name alone is not unique: where pods share it, two would hold one lease.
    podName: read.string('POD_NAME', `${hostname()}_${randomToken(6)}`),
  };
  read.finish();
  return config;
}
