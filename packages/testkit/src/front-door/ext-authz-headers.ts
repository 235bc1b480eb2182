/** Owns the header lists of the manifests' extension provider (`packages/manifests/istio/base/mesh.yaml`), for every data plane that asks so. */

/** What the AuthService gets of a request. */
export const CHECK_HEADERS: readonly string[] = [
  'authorization',
  'cookie',
  'accept',
  'origin',
  'referer',
  'upgrade',
  'content-type',
  'x-auth-token',
  'x-requested-with',
  'sec-fetch-mode',
  'sec-fetch-dest',
  'sec-fetch-site',
];

/** What the application gets of the AuthService. */
export const UPSTREAM_HEADERS: readonly string[] = [
  'kubeflow-userid',
  'kubeflow-groups',
  'kubeflow-assertion',
  'cookie',
  'x-envoy-auth-headers-to-remove',
];

/** What the browser gets of a refusal. */
export const DENY_HEADERS: readonly string[] = [
  'content-type',
  'location',
  'set-cookie',
  'www-authenticate',
  'cache-control',
];
