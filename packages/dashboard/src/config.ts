/** Owns the dashboard's settings: the environment of the reference, read once, all mistakes at once. */
import { createEnvReader } from '@kfctl/core';
import type { Environment, EnvReader, Secret } from '@kfctl/core';
import { parseAssertionKeys } from '@kfctl/oidc';

export interface Config {
  readonly port: number;
  /** Lower-case name of the header in which the gateway tells who the user is. */
  readonly userIdHeader: string;
  readonly userIdPrefix: string;
  /** Lower-case name of the header with the user's groups, which the assertion covers too. */
  readonly groupsHeader: string;
  /** Keys of the AuthService's assertions; undefined: IDENTITY_ASSERTION=off, whoever reaches the port is believed. */
  readonly assertionKeys: readonly Secret[] | undefined;
  /** People without a workspace may make one for themselves. */
  readonly registrationFlow: boolean;
  readonly logoutUrl: string;
  readonly accessManagement: { readonly host: string; readonly port: number };
  readonly namespace: string;
  /** Where this process's own service account token is mounted. */
  readonly serviceAccountDirectory: string;
  readonly configMap: string;
  /** Namespaces whose Deployments make up the platform's health. */
  readonly platformNamespaces: readonly string[];
}

const port = { min: 1, max: 65_535 };

export function readConfig(env: Environment): Config {
  const reader = createEnvReader(env);
  const config: Config = {
    port: reader.integer('PORT_1', { fallback: 8082, ...port }),
    userIdHeader: reader.string('USERID_HEADER', 'kubeflow-userid').toLowerCase(),
    userIdPrefix: reader.optional('USERID_PREFIX') ?? '',
    groupsHeader: reader.string('GROUPS_HEADER', 'kubeflow-groups').toLowerCase(),
    assertionKeys: readAssertionKeys(reader),
    registrationFlow: reader.boolean('REGISTRATION_FLOW', true),
    logoutUrl: reader.string('LOGOUT_URL', '/logout'),
    accessManagement: {
      host: reader.string('PROFILES_KFAM_SERVICE_HOST', 'profiles-kfam.kubeflow'),
      port: reader.integer('PROFILES_KFAM_SERVICE_PORT', { fallback: 8081, ...port }),
    },
    namespace: reader.string('POD_NAMESPACE', 'kubeflow'),
    serviceAccountDirectory: reader.string(
      'KUBERNETES_SERVICEACCOUNT_DIR',
      '/var/run/secrets/kubernetes.io/serviceaccount',
    ),
    configMap: reader.string('DASHBOARD_CONFIGMAP', 'centraldashboard-config'),
    platformNamespaces: reader.list('PLATFORM_NAMESPACES', ['kubeflow', 'istio-system', 'metallb-system']),
  };
  if (!/^\/(?![/\\])/.test(config.logoutUrl) && !config.logoutUrl.startsWith('https://')) {
    reader.problem('LOGOUT_URL', 'must be a path such as /logout, or an https:// address');
  }
  reader.finish();
  return Object.freeze(config);
}

function readAssertionKeys(reader: EnvReader): readonly Secret[] | undefined {
  if (!reader.boolean('IDENTITY_ASSERTION', true)) return undefined;
  const name = 'IDENTITY_ASSERTION_KEY';
  const text = reader.secret(name).reveal();
  const keys = parseAssertionKeys(text);
  if (keys === undefined && text !== '') reader.problem(name, "has less than 32 characters; it is the AuthService's");
  return keys ?? [];
}
